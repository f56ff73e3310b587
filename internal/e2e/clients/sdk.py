"""Drives the Python SDK, as it comes from PyPI, and prints what it got."""

import asyncio
import json
import os

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

# Before all names, where several servers are one.
PREFIX = os.environ.get("MCP_PREFIX", "")
MODES = {"modern": "2026-07-28", "legacy": "legacy", "auto": "auto"}


def plain(models):
    return [m.model_dump(mode="json", by_alias=True, exclude_none=True) for m in models]


async def main():
    progress = []

    async def note(done, total, message):
        progress.append([done, total])

    headers = {"Authorization": "Bearer " + os.environ["MCP_TOKEN"]}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(os.environ["MCP_URL"], http_client=http)
        async with Client(transport, mode=MODES[os.environ["MCP_ERA"]]) as client:
            tools = (await client.list_tools()).tools
            prompts = (await client.list_prompts()).prompts
            resources = (await client.list_resources()).resources
            said = await client.call_tool(PREFIX + "test_simple_text", {})
            shown = await client.call_tool(PREFIX + "test_image_content", {})
            failed = await client.call_tool(PREFIX + "test_error_handling", {})
            slow = await client.call_tool(PREFIX + "test_tool_with_progress", {}, progress_callback=note)
            read = await client.read_resource("test://static-text")
            prompt = await client.get_prompt(PREFIX + "test_prompt_with_arguments", {"arg1": "tide", "arg2": "höhe"})
            try:
                refused = (await client.call_tool(PREFIX + "no_such_tool", {})).is_error
            except Exception:
                refused = True
            version = client.protocol_version
    print(
        json.dumps(
            {
                "version": version,
                "tools": [[t.name, t.description, t.input_schema] for t in tools],
                "prompts": [p.name for p in prompts],
                "resources": [str(r.uri) for r in resources],
                "said": plain(said.content),
                "shown": plain(shown.content),
                "failed": [failed.is_error, plain(failed.content)],
                "slow": plain(slow.content),
                "progress": progress,
                "read": plain(read.contents),
                "prompt": plain(prompt.messages),
                "unknown": {"refused": refused},
            }
        )
    )


asyncio.run(main())
