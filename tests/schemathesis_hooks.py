"""What schemathesis does not know by itself: a body of bytes is sent as it is."""

import schemathesis


@schemathesis.serializer("application/x-protobuf")
def remote_write(ctx, value):
    """Made-up bytes: none of them may be more than a refusal."""
    if isinstance(value, list):
        return bytes(byte % 256 for byte in value if isinstance(byte, int))
    return value if isinstance(value, bytes) else str(value).encode()
