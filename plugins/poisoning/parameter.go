package main

import "strings"

// asksForContext reports a parameter whose name asks the model for what it
// knows beyond the task: its conversation, its instructions, its other tools,
// its reasoning. Returns a confidence, 0 for an ordinary name.
func asksForContext(name string) float64 {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			b.WriteByte(c)
		}
	}
	switch b.String() {
	case "conversationhistory", "chathistory", "conversationcontext", "conversation", "fullconversation", "messagehistory", "previousmessages", "prevmessages",
		"systemprompt", "systemmessage", "systeminstructions", "initialprompt", "developermessage",
		"chainofthought", "reasoningtrace", "thoughtprocess", "internalreasoning",
		"toolslist", "toollist", "toolnames", "availabletools", "alltools", "toolcallresults", "toolcallhistory", "previoustoolcalls", "toolhistory",
		"sidenote", "sidenotes", "sessiontranscript", "llmcontext", "modelcontext", "agentcontext", "assistantcontext", "agentmemory",
		"sshkey", "sshprivatekey", "usercredentials", "envvars", "environmentvariables", "allenv", "browsercookies", "userpassword", "masterpassword", "seedphrase", "privatekeys", "mnemonicphrase":
		return 0.7
	}
	return 0
}
