package main

import "strings"

// schemes begin the stored form of a password, as crypt(5) and its successors
// write them; behind each stand parameters, salt and hash.
var schemes = [...]struct {
	mark  string
	least int // bytes behind the mark
}{
	{"$2a$", 53}, {"$2b$", 53}, {"$2y$", 53}, {"$1$", 24}, {"$5$", 44}, {"$6$", 88}, {"$y$", 40}, {"$apr1$", 24},
	{"$argon2id$", 40}, {"$argon2i$", 40}, {"$argon2d$", 40}, {"$scrypt$", 40}, {"$pbkdf2-sha256$", 40}, {"$pbkdf2-sha512$", 40}, {"$krb5tgs$", 60}, {"$krb5asrep$", 60},
	{"{SSHA}", 28}, {"{SSHA512}", 60}, {"pbkdf2_sha256$", 40},
}

// maxHash is the longest stored password that is looked at, in bytes.
const maxHash = 512

// storedPassword is the hash of a password, which can be tried against at leisure.
func storedPassword(text string, i int) *hit {
	for j := range schemes {
		s := &schemes[j]
		if text[i] != s.mark[0] || !strings.HasPrefix(text[i:], s.mark) {
			continue
		}
		end := i + len(s.mark)
		for end < len(text) && end-i <= maxHash && (base64.has(text[end]) || strings.IndexByte("./$,*:_-@", text[end]) >= 0) {
			end++
		}
		for end > i && strings.IndexByte(".,:", text[end-1]) >= 0 {
			end--
		}
		body := text[i+len(s.mark) : end]
		if len(body) < s.least || end-i > maxHash || placeholder(body) || entropy(body) < 4 {
			return nil
		}
		return &hit{rule: ruleAssigned, confidence: 0.8, start: i, end: end, what: "password hash"}
	}
	return nil
}

// commands are what hands a password over on a command line, in lower case.
var commands = [...]string{"convertto-securestring ", "sshpass -p", "net use ", "psexec ", "-passin pass:", "-passout pass:"}

// command is a password that a command line hands over.
func command(text string, i int) *hit {
	rest := text[i:]
	start := -1
	switch {
	case fold(rest, commands[0]):
		if strings.Contains(rest[:min(len(rest), 300)], "-AsPlainText") || strings.Contains(rest[:min(len(rest), 300)], "-asplaintext") {
			start = i + len(commands[0])
			for _, option := range [...]string{"-String ", "-AsPlainText ", "-Force "} {
				if strings.HasPrefix(text[start:], option) {
					start += len(option)
				}
			}
		}
	case fold(rest, commands[1]):
		start = i + len(commands[1])
	case fold(rest, commands[2]):
		if n := strings.Index(rest[:min(len(rest), 200)], "/user:"); n >= 0 {
			if m := strings.IndexByte(rest[n:], ' '); m >= 0 {
				start = i + n + m
			}
		}
	case fold(rest, commands[3]):
		if n := strings.Index(rest[:min(len(rest), 200)], " -p "); n >= 0 {
			start = i + n + 4
		}
	case fold(rest, commands[4]):
		start = i + len(commands[4])
	case fold(rest, commands[5]):
		start = i + len(commands[5])
	}
	if start < 0 {
		return nil
	}
	start = skip(text, start, " \"'")
	end := start
	for end < len(text) && valueByte(text[end]) {
		end++
	}
	value := text[start:end]
	if s := shapeOf(value); len(value) < 6 || variable(value) || placeholder(value) || weakPassword(value) || value[0] == '/' || value[0] == '-' ||
		s.digit+s.other == 0 && (s.upper == 0 || wordy(value)) {
		return nil
	}
	return &hit{rule: ruleHeader, confidence: 0.75, start: start, end: end, what: "password"}
}
