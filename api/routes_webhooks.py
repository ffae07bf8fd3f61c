"""Webhooks of providers: a signed word that a call has ended. A hint, never the truth.

1. the signature and its age are checked over the body as it came;
2. a call whose id was lost gets it, so that the next try re-attaches to it;
3. the worker that waits for the call is woken, and asks the provider itself.

All of it may come twice, late, or for what nobody waits for.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from standardwebhooks import Webhook, WebhookVerificationError

from api.shop import TheShop
from redis_queue import hints

router = APIRouter(tags=["webhooks"])

_REPLICATE = "replicate"
_ID = re.compile(r"[a-z0-9]{1,64}")
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
#: A prediction with its input, which may hold pictures, and its log.
_MAX_BYTES = 4_000_000
_BODY = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}


async def _raw(request: Request) -> bytes:
    """The body as it came, which is what is signed; 413 for one that no prediction has."""
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > _MAX_BYTES:
            raise HTTPException(413, "this is larger than any prediction")
    return bytes(read)


@router.post("/webhooks/replicate", status_code=204, openapi_extra={"requestBody": _BODY})
def replicate(
    request: Request,
    raw: Annotated[bytes, Depends(_raw)],
    shop: TheShop,
    call: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
) -> None:
    """Replicate tells that a prediction has ended. No token: its signature is checked.

    `call` is the name under which the prediction was asked for. 404 where no webhooks are
    expected, 401 for a signature that is wrong or old.
    """
    secret = shop.settings.replicate_webhook_secret
    if secret is None:
        raise HTTPException(404, "no webhooks are expected here; REPLICATE_WEBHOOK_SECRET is unset")
    remote_id = _ended(_verified(secret.get_secret_value(), raw, request))
    if call is not None:
        shop.database.calls.named(call, _REPLICATE, remote_id)
    hints.tell(shop.client, _REPLICATE, remote_id)


def _verified(secret: str, raw: bytes, request: Request) -> Any:
    signed = {name: request.headers.get(name, "") for name in _HEADERS}
    try:
        return Webhook(secret).verify(raw, signed)
    except (WebhookVerificationError, ValueError):  # the latter for headers it cannot take apart
        raise HTTPException(401, "the signature is wrong or old") from None


def _ended(prediction: Any) -> str:
    remote_id = prediction.get("id") if isinstance(prediction, dict) else None
    if not isinstance(remote_id, str) or not _ID.fullmatch(remote_id):
        raise HTTPException(422, "this is no prediction")
    return remote_id
