"""One signed request to an S3 server, by nothing but the standard library and the
specification, so that it is a second opinion on what remotes/sigv4.c makes.

    s3req.py METHOD URL [FILE|-]     prints the body; exit 1 and the status unless 2xx

Keys are those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
"""
import datetime
import hashlib
import hmac
import http.client
import os
import sys
import urllib.parse


def hash_of(data):
    return hashlib.sha256(data).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    quoted = sorted((urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~")) for k, v in pairs)
    return "&".join(k + "=" + v for k, v in quoted)


def signed_headers(method, url, body, region):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": url.netloc, "x-amz-date": now, "x-amz-content-sha256": hash_of(body)}
    if os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, url.path or "/", canonical_query(url.query)]
        + [name + ":" + headers[name] for name in sorted(headers)]
        + ["", names, hash_of(body)]
    )
    scope = "/".join([now[:8], region, "s3", "aws4_request"])
    key = b"AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    for part in scope.split("/"):
        key = mac(key, part)
    signature = mac(key, "\n".join(["AWS4-HMAC-SHA256", now, scope, hash_of(canonical.encode())])).hex()
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        os.environ["AWS_ACCESS_KEY_ID"],
        scope,
        names,
        signature,
    )
    return headers


def main():
    method, url = sys.argv[1], urllib.parse.urlsplit(sys.argv[2])
    body = b""
    if len(sys.argv) > 3:
        body = sys.stdin.buffer.read() if sys.argv[3] == "-" else open(sys.argv[3], "rb").read()
    connection = http.client.HTTPConnection(url.netloc, timeout=60)
    target = (url.path or "/") + ("?" + canonical_query(url.query) if url.query else "")
    headers = signed_headers(method, url, body, os.environ.get("AWS_REGION", "us-east-1"))
    connection.request(method, target, body=body, headers=headers)
    answer = connection.getresponse()
    sys.stdout.buffer.write(answer.read())
    if not 200 <= answer.status < 300:
        sys.exit("s3req: %s %s: %d %s" % (method, url.path, answer.status, answer.reason))


main()
