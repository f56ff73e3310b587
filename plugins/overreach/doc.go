// Package overreach reads the documentation of an entry for what no
// documentation of an entry needs: orders about other tools, about the user's
// wishes, about data that the entry has no use for, and praise of itself.
//
// Documentation orders a model about as a matter of course, so a single sign
// is nothing here; what a scanner makes of several in one sentence is its own
// affair. The package knows words, not messages, rules or severities.
package overreach
