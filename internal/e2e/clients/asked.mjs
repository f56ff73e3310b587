// Drives the TypeScript SDK 2, as it comes from npm, as a client that answers
// whatever a server asks, and prints what it got.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const mode = process.env.MCP_ERA === "modern" ? { pin: "2026-07-28" } : process.env.MCP_ERA;
const client = new Client(
  { name: "asked", version: "1.0.0" },
  { versionNegotiation: { mode }, capabilities: { elicitation: {}, sampling: {}, roots: {} } },
);
const asked = [];
const answer = (method, result) =>
  client.setRequestHandler(method, async () => {
    asked.push(method);
    return result;
  });
answer("elicitation/create", { action: "accept", content: { name: "Ada", check: true } });
answer("sampling/createMessage", { model: "m", role: "assistant", content: { type: "text", text: "höhe" } });
answer("roots/list", { roots: [{ uri: "file:///home", name: "home" }] });
await client.connect(
  new StreamableHTTPClientTransport(new URL(process.env.MCP_URL), {
    requestInit: { headers: { Authorization: `Bearer ${process.env.MCP_TOKEN}` } },
  }),
);
const said = await client.callTool({ name: "echo", arguments: { message: "¿qué tal?" } });
const roots = await client.callTool({ name: "get-roots-list", arguments: {} });
const elicited = await client.callTool({ name: "trigger-elicitation-request", arguments: {} });
const sampled = await client.callTool({ name: "trigger-sampling-request", arguments: { prompt: "tide" } });
await client.close();
console.log(
  JSON.stringify({
    said: said.content,
    roots: roots.content,
    elicited: elicited.content,
    sampled: sampled.content,
    asked: [...new Set(asked)].sort(),
  }),
);
