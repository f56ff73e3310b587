package normalise

import "strings"

// vocabulary is what orders to a model are mostly made of. It only has to show
// where words end, so that the rest of a sentence stands out.
var vocabulary = wordSet(`a about above access account act action add address admin after all allow also always an and answer any
	api apply are as ask assistant at attach attacker authorization available back bank be because been before begin below between bypass but by
	call can cancel change chat code command complete concealed confidential confirm contact content context conversation copy credentials
	data database delete details developer directive disable disclose disregard do document does done dont download each else email
	encode end ensure environment every everything execute exfiltrate export fetch file files final first follow following for forget
	format forward from full function get give go guidelines has have hidden hide history how html http https if ignore important in
	include information inform input insert inside install instead instruction instructions into is it its json key keys know last list load
	local log login make may me mention message messages mode model must my name new next no not nothing note notify now of off on
	once one only open or other our out output over override own parameter parameters password passwords path payment perform please post
	previous print prior private proceed prompt prompts provide put query quietly read real reason records refuse remove repeat replace reply
	report request respond response restrictions result results return reveal root rule rules run safety same save say script secret
	secretly secrets security see send server session set share shell should show silently skip so ssh start step stop story submit
	such system task tell terminal text than that the their them then there these they this through to token tokens tool tools transfer
	true trust under unless until update upload url use user users using via wallet was we web were what when where which while who
	will with within without word write you your`)

const longestWord = 16

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// divided puts spaces between the words of letters that have none, so that as
// few letters as possible belong to no word, and then as few words as possible
// come of it.
func divided(letters string) string {
	const unknown = 4 // what a letter outside of words costs, to 1 of a word
	lower := strings.ToLower(letters)
	cost := make([]int, len(letters)+1)
	from := make([]int32, len(letters)+1) // where the last word before a place begins, itself where a letter is in none
	for end := 1; end <= len(letters); end++ {
		cost[end], from[end] = cost[end-1]+unknown, int32(end)
		for start := max(0, end-longestWord); start < end; start++ {
			if c := cost[start] + 1; c < cost[end] && vocabulary[lower[start:end]] {
				cost[end], from[end] = c, int32(start)
			}
		}
	}
	between := make([]bool, len(letters)+1) // places at which a word begins or ends
	for end := len(letters); end > 0; {
		start := int(from[end])
		if start == end {
			end--
			continue
		}
		between[start], between[end] = true, true
		end = start
	}
	var out strings.Builder
	for i := range len(letters) {
		if i > 0 && between[i] {
			out.WriteByte(' ')
		}
		out.WriteByte(letters[i])
	}
	return out.String()
}
