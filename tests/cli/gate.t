# A gate that guards a model and reads its evaluation does not deadlock.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t_dir
put mlbuild.ini <<'X'
[params]
accuracy = 0.9
least = 0.8
[model model]
run = echo model >>"$RAN"; echo ${params:accuracy} > ${out}
out = model.txt
[report evaluation]
run = echo evaluation >>"$RAN"; echo "{\"accuracy\": $(cat ${model})}" > ${metrics}
metrics = eval.json
[check gate]
guards = model
run = echo gate >>"$RAN"; awk -v least=${params:least} '{ gsub(/[{}]/, "") } { exit !($2 >= least) }' ${evaluation:metrics}
[task deploy]
run = echo deploy >>"$RAN"; cat ${model}
[report consumer]
run = echo consumer >>"$RAN"; cat ${model} > ${out}
out = consumer.txt
X

t a good model passes
ok timeout 20 "$MLBUILD"
did 'consumer evaluation gate model'
ok timeout 20 "$MLBUILD" deploy
did 'deploy'

t asking for the model asks for the gate
change mlbuild.ini 'accuracy = 0.9' 'accuracy = 0.5'
code 3 mlbuild model
did 'evaluation gate model'
err_has gate

t the model and its evaluation are there, its consumers are not made, the task does not run
eq "$(cat model.txt)" 0.5
there eval.json
code 3 mlbuild
did ''
eq "$(cat consumer.txt)" 0.9
code 3 mlbuild deploy
did ''

t a lower bar runs the gate alone, then the consumers
change mlbuild.ini 'least = 0.8' 'least = 0.4'
ok mlbuild
did 'consumer gate'
eq "$(cat consumer.txt)" 0.5
ok mlbuild deploy
did 'deploy'

t metrics are shown at the end
change mlbuild.ini 'accuracy = 0.5' 'accuracy = 0.7'
ok mlbuild evaluation
has 0.7

done_testing
