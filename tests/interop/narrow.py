"""Reads and narrows tokens with biscuit-python, as any holder who uses another library would.

narrow: token and root key in, a narrowed token out.
read:   token and root key in, the Datalog of each block out, after checking its signatures.
"""
import json
import sys

from biscuit_auth import Algorithm, Biscuit, BlockBuilder, PublicKey

job = json.load(sys.stdin)
root = PublicKey.from_bytes(bytes.fromhex(job["root"]), Algorithm.Ed25519)
token = Biscuit.from_base64(job["token"], root)
if job["do"] == "narrow":
    block = BlockBuilder(job["code"], job.get("parameters", {}))
    print(json.dumps({"token": token.append(block).to_base64()}))
else:
    blocks = [token.block_source(index) for index in range(token.block_count())]
    print(json.dumps({"blocks": blocks, "revocation_ids": token.revocation_ids}))
