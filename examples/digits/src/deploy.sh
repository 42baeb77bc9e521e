#!/bin/sh
# Stands for whatever your deployment is: deploy.sh MODEL
set -eu
mkdir -p deployed
cp "$1" deployed/model.pkl
echo "deployed $(cksum <deployed/model.pkl | cut -d' ' -f1)"
