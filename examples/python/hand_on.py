"""Hands a token on to a buyer, who can order at one vendor for five minutes.

python hand_on.py KEYSET_FILE KEYSET_KEY TOKEN_FILE BUYER_TOKEN_FILE
"""

import os
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from keyset import open_keyset, root_key
from narrow import narrow
from read import key_id, read, visible

keyset_file, keyset_key, token_file, buyer_file = sys.argv[1:]
keyset = open_keyset(Path(keyset_file).read_bytes(), keyset_key)
token = Path(token_file).read_text().strip()
now = datetime.now(timezone.utc)

root = root_key(keyset, key_id(token), now)
buyer = narrow(token, root, "agent:buyer", "acme", Decimal("4200.50"), now + timedelta(minutes=5))

# `read` returns only what the root key and the holders signed.
content = read(buyer, root)
if content["issuer"] != keyset["issuer"]:
    sys.exit("the token is of another issuer than the keyset")
# A token is a credential: only its owner may read the file.
with os.fdopen(os.open(buyer_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
    file.write(buyer)
principal, agent = visible(content["principal"]), visible(content["agent"])
print(f"for {principal}, by {agent}, until {content['expires']}")
