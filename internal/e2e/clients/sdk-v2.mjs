// Drives the TypeScript SDK 2, as it comes from npm, in the era that MCP_ERA
// names, and prints what it got.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { visit } from "./visit.mjs";

const mode = process.env.MCP_ERA === "modern" ? { pin: "2026-07-28" } : process.env.MCP_ERA;
const client = new Client({ name: "sdk-v2", version: "1.0.0" }, { versionNegotiation: { mode } });
const transport = new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), {
  requestInit: { headers: { Authorization: `Bearer ${process.env.MCP_TOKEN}` } },
});
await client.connect(transport);
await visit(client, client.getNegotiatedProtocolVersion(), (params, options) => client.callTool(params, options));
