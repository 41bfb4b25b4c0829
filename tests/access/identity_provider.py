"""An OpenID provider over a socket: discovery, authorization endpoint, token endpoint with PKCE, keys.

It does what the specification asks; `lie` changes one thing in its answers, as a hostile or broken one would.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "bespoke", "s3cret of the client"


class Provider:
    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.person: dict[str, Any] = {"sub": "u-1", "preferred_username": "grace", "groups": ["marketing"]}
        self.grants: dict[str, dict[str, str]] = {}
        self.lie = ""

    def discovery(self) -> dict[str, Any]:
        issuer = "https://other.example" if self.lie == "discovery" else self.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            # As a hostile one would offer it; ours takes signatures of the provider alone.
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to, as if the person had logged in here."""
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.grants[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        grant = self.grants.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            grant is None
            or form.get("redirect_uri") != grant["redirect_uri"]
            or challenge != grant["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
        if self.lie != "no token":
            answer["id_token"] = self.sign(self.claims(grant["nonce"]))
        return 200, answer

    def claims(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= self.person
        lies: dict[str, dict[str, Any]] = {
            "issuer": {"iss": "https://other.example"},
            "audience": {"aud": "another-client"},
            "audiences": {"aud": ["another-client", "third"], "azp": CLIENT},
            "authorized party": {"aud": [CLIENT, "another-client"], "azp": "another-client"},
            "nonce": {"nonce": "of-another-browser"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }
        claims |= lies.get(self.lie, {})
        if self.lie in ("no nonce", "no subject", "no expiry"):
            del claims[{"no nonce": "nonce", "no subject": "sub", "no expiry": "exp"}[self.lie]]
        return claims

    def sign(self, claims: dict[str, Any]) -> str:
        if self.lie == "alg none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.lie == "alg HS256":  # signed with what everybody can read: the public key
            signed = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
            digest = hmac.new(self.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
            return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        key = RSAKey.generate_key(2048, {"kid": "one"}) if self.lie == "key" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@contextmanager
def serve() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlparse(self.path)
            if path.path == "/.well-known/openid-configuration":
                self.answer(500 if provider.lie == "broken" else 200, provider.discovery())
            elif path.path == "/keys":
                self.answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                asked = {name: values[0] for name, values in parse_qs(path.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.answer(*provider.token(form, self.headers.get("Authorization", "")))

        def answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    yield provider
    server.shutdown()
    server.server_close()
