"""What an administrator of a storage account does, for azure.t.

	azure_admin.py ENDPOINT ACCOUNT KEY container NAME          makes a container
	azure_admin.py ENDPOINT ACCOUNT KEY sas NAME RIGHTS EXPIRY  prints a SAS token for it

Signed as "Authorize with Shared Key" and "Create a service SAS" (Azure Storage REST API
reference, version 2018-11-09 and later) say.
"""
import base64
import email.utils
import hashlib
import hmac
import sys
import urllib.parse
import urllib.request

VERSION = "2020-10-02"


def signature(key, text):
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()


def make_container(endpoint, account, key, name):
    date = email.utils.formatdate(usegmt=True)
    path = urllib.parse.urlparse(endpoint).path + "/" + name
    text = "PUT" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:{VERSION}\n"
    text += f"/{account}{path}\nrestype:container"
    header = {
        "x-ms-date": date,
        "x-ms-version": VERSION,
        "Authorization": f"SharedKey {account}:{signature(key, text)}",
    }
    url = f"{endpoint}/{name}?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=header), timeout=60)


def sas(account, key, name, rights, expiry):
    text = f"{rights}\n\n{expiry}\n/blob/{account}/{name}\n\n\n\n{VERSION}\nc\n\n\n\n\n\n"
    query = {"sv": VERSION, "sr": "c", "sp": rights, "se": expiry, "sig": signature(key, text)}
    return urllib.parse.urlencode(query)


def main():
    endpoint, account, key, what, *rest = sys.argv[1:]
    if what == "container":
        make_container(endpoint, account, key, *rest)
    else:
        print(sas(account, key, *rest))


main()
