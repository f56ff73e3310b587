// The tour that every TypeScript client takes: list, call, read, prompt,
// progress, a tool that fails, and a tool that nobody approved. MCP_PREFIX stands
// before all names where several servers are one.
const prefix = process.env.MCP_PREFIX ?? "";

export async function visit(client, version, call) {
  const progress = [];
  const { tools } = await client.listTools();
  const { prompts } = await client.listPrompts();
  const { resources } = await client.listResources();
  const said = await call({ name: `${prefix}test_simple_text`, arguments: {} });
  const shown = await call({ name: `${prefix}test_image_content`, arguments: {} });
  const failed = await call({ name: `${prefix}test_error_handling`, arguments: {} });
  const slow = await call(
    { name: `${prefix}test_tool_with_progress`, arguments: {} },
    { onprogress: (p) => progress.push([p.progress, p.total]) },
  );
  const read = await client.readResource({ uri: "test://static-text" });
  const prompt = await client.getPrompt({ name: `${prefix}test_prompt_with_arguments`, arguments: { arg1: "tide", arg2: "höhe" } });
  const unknown = await call({ name: `${prefix}no_such_tool`, arguments: {} }).then(
    (result) => ({ refused: result.isError === true }),
    () => ({ refused: true }),
  );
  await client.close();
  console.log(
    JSON.stringify({
      version,
      tools: tools.map((t) => [t.name, t.description, t.inputSchema]),
      prompts: prompts.map((p) => p.name),
      resources: resources.map((r) => r.uri),
      said: said.content,
      shown: shown.content,
      failed: [failed.isError, failed.content],
      slow: slow.content,
      progress,
      read: read.contents,
      prompt: prompt.messages,
      unknown,
    }),
  );
}
