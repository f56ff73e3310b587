package main

import "strings"

// What the name of a parameter asks for.
const (
	asksNothing = iota
	asksPerhaps // what some tools need: where nothing says what for, it is asked of the model
	asksPlainly // what no tool needs
)

// longestName is beyond the longest of contextNames, all that may stand before it included.
const longestName = 64

// asksForContext reports a parameter whose name asks the model for what it
// knows beyond the task: its conversation, its instructions, its other tools,
// its reasoning.
func asksForContext(name string) int {
	var plain [longestName]byte
	n := 0
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			continue
		}
		if n == len(plain) {
			return asksNothing
		}
		plain[n] = c
		n++
	}
	name = string(plain[:n])
	for _, before := range [...]string{"current", "previous", "full", "entire", "complete", "my", "all", "the", "raw"} {
		if rest, cut := strings.CutPrefix(name, before); cut && len(rest) > 3 && contextNames[rest] != asksNothing {
			name = rest
		}
	}
	return contextNames[name]
}

var contextNames = func() map[string]int {
	names := map[string]int{}
	for _, list := range [...]struct {
		asks  int
		names string
	}{
		{asksPlainly, "conversationhistory chathistory conversationcontext conversationlog conversationtranscript conversationsummary fullconversation messagehistory chatlog chattranscript " +
			"chatcontext previousmessages prevmessages recentmessages lastmessages dialoguehistory sessionhistory sessiontranscript sessioncontext contexthistory promptcontext " +
			"systemprompt systemmessage systeminstructions initialprompt developermessage developerprompt originalprompt originalrequest instructionsreceived " +
			"chainofthought reasoningtrace thoughtprocess internalreasoning internalthoughts reasoningsteps modelreasoning innermonologue privatethoughts scratchpad " +
			"toolslist toollist toolnames listoftools availabletools alltools othertools installedtools toolcallresults toolcallhistory toolcalls previoustoolcalls previouscalls " +
			"previousresults toolresults toolhistory toolsavailable tooloutputs " +
			"sidenote sidenotes llmcontext modelcontext agentcontext assistantcontext agentmemory modelmemory assistantmemory memorydump contextwindow " +
			"sshkey sshkeys sshprivatekey usercredentials envvars environmentvariables allenv envdump browsercookies browserhistory browsinghistory userpassword masterpassword " +
			"seedphrase recoveryphrase privatekeys mnemonicphrase apikeys awscredentials filecontents fileslist openfiles exfil exfildata stolendata"},
		{asksPerhaps, "context conversation history reasoning thoughts thinking memory memories llmname modelversion llmmodel assistantname llm " +
			"profile userprofile userinfo userdata usercontext tools transcript chat chats messages dialogue sidechannel env environ hiddencontext credentials cookies secrets " +
			"analytics telemetry thought rationale reflection internalstate notes feedback debuginfo sessiondata systeminfo hostinfo clipboard"},
	} {
		for _, n := range strings.Fields(list.names) {
			names[n] = list.asks
		}
	}
	return names
}()
