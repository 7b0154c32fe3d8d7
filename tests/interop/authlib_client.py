"""An OAuth client with Authlib that signs its own assertions (`private_key_jwt`).

Reads one job as JSON from standard input, and writes its outcome as JSON.
"""

import json
import os
import sys

# The service under test has no certificate.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

KINDS = {
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPKey),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECKey),
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAKey),
}


class Brief(PrivateKeyJWT):
    """Makes assertions that are valid for a minute; by default, those of Authlib are valid for an hour."""

    def sign(self, auth, token_endpoint):
        return private_key_jwt_sign(
            auth.client_secret,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=self.alg,
            expires_in=60,
        )


def make(job):
    """Makes a key pair, and writes both halves in PEM."""
    private = KINDS[job["alg"]][0]()
    public = private.public_key()
    with open(job["private"], "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    with open(job["public"], "wb") as file:
        file.write(
            public.public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
        )
    return {}


def fetch(job):
    """Fetches tokens as the client: as many as the job says, in one session."""
    base = job["base"]
    metadata = requests.get(f"{base}/.well-known/oauth-authorization-server", timeout=30).json()
    assert "private_key_jwt" in metadata["token_endpoint_auth_methods_supported"]
    assert job["alg"] in metadata["token_endpoint_auth_signing_alg_values_supported"]
    with open(job["private"], "rb") as file:
        key = KINDS[job["alg"]][1].import_key(file.read())
    session = OAuth2Session(
        job["client"], key, token_endpoint_auth_method="private_key_jwt", scope="buyer"
    )
    kind = Brief if job["brief"] else PrivateKeyJWT
    audience = metadata["issuer"] if job["to_issuer"] else metadata["token_endpoint"]
    session.register_client_auth_method(kind(audience, alg=job["alg"]))
    try:
        tokens = [
            session.fetch_token(f"{base}/v1/token", grant_type="client_credentials")["access_token"]
            for _ in range(job["count"])
        ]
    except Exception as error:  # noqa: BLE001
        return {"error": getattr(error, "error", repr(error)), "says": str(error)}
    return {"tokens": tokens}


job = json.load(sys.stdin)
json.dump({"make": make, "fetch": fetch}[job["do"]](job), sys.stdout)
