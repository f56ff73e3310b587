package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

func newReview() *cobra.Command {
	cmd := &cobra.Command{Use: "review", Short: "Work through a checklist, vote, waive, approve or reject", Args: cobra.NoArgs}
	cmd.AddCommand(newReviewList(), newReviewShow(), newReviewAnswer(), newReviewVote(), newReviewWaive(),
		newReviewApprove(), newReviewReject())
	return cmd
}

// reviewVerb is a command about one review; args beyond it are in use.
func reviewVerb(use, short string, do func(q *question, args []string) error) *cobra.Command {
	return asks(&cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(strings.Count(use, " "))}, do)
}

func newReviewList() *cobra.Command {
	var states []string
	cmd := reviewVerb("list", "List reviews", func(q *question, _ []string) error {
		reviews, err := q.client.Reviews(q.ctx, statesOf(states)...)
		if err != nil {
			return err
		}
		return q.print(reviews, []string{"REVIEW", "NAME", "VERSION", "STATE", "ITEMS", "BLOCKED BY"}, func() [][]string {
			var rows [][]string
			for _, r := range reviews {
				rows = append(rows, []string{r.ID, r.Version.Name, r.Version.Version, string(r.Version.State),
					fmt.Sprintf("%d pass, %d fail, %d open", r.Counts.Pass, r.Counts.Fail, r.Counts.Unanswered), strings.Join(r.Blocking, " ")})
			}
			return rows
		})
	})
	cmd.Flags().StringSliceVar(&states, "state", []string{string(admission.InReview)}, "state of the version")
	return cmd
}

func newReviewShow() *cobra.Command {
	return reviewVerb("show REVIEW", "Show the checklist with its evidence, votes and waivers", func(q *question, args []string) error {
		r, err := q.client.Review(q.ctx, args[0])
		if err != nil {
			return err
		}
		return printReview(q.out, r, q.format)
	})
}

func printReview(out io.Writer, r *admission.Review, format string) error {
	if format == "json" {
		return printJSON(out, r)
	}
	var rows [][]string
	for _, i := range r.Items {
		rows = append(rows, []string{i.Code, string(i.Result), string(i.Class), i.Title, short(i.Evidence)})
	}
	if err := table(out, []string{"ITEM", "RESULT", "BY", "QUESTION", "EVIDENCE"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "subject %s\nvotes %d of %d (tier %s)\nblocked by: %s\n",
		r.Subject, r.Quorum.Have, r.Quorum.Needed, r.Quorum.Tier, strings.Join(r.Blocking, " "))
	return err
}

// short is enough of a digest to tell it from its neighbours.
func short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(12, len(digest))]
}

func newReviewAnswer() *cobra.Command {
	var result, note string
	var lasts time.Duration
	cmd := reviewVerb("answer REVIEW CODE", "Answer a checklist item, or waive one that the registry failed", func(q *question, args []string) error {
		answer := registryapi.Answer{Result: admission.Result(result), Note: note}
		if answer.Result == admission.Waived {
			answer.Expires = time.Now().Add(lasts)
		}
		item, err := q.client.Answer(q.ctx, args[0], args[1], answer)
		if err != nil {
			return err
		}
		return printJSON(q.out, item)
	})
	cmd.Flags().StringVar(&result, "result", "", "pass, fail, n/a or waived")
	cmd.Flags().StringVar(&note, "note", "", "what the answer rests on")
	cmd.Flags().DurationVar(&lasts, "expires-in", 30*24*time.Hour, "of a waiver, at most 90 days")
	_ = cmd.MarkFlagRequired("result")
	return cmd
}

func newReviewVote() *cobra.Command {
	var keyFile, value string
	cmd := reviewVerb("vote REVIEW", "Vote on exactly what the review shows, signed with your key", func(q *question, args []string) error {
		r, err := q.client.Review(q.ctx, args[0])
		if err != nil {
			return err
		}
		vote, err := castVote(q.ctx, q.client, r, keyFile, value)
		if err != nil {
			return err
		}
		return printJSON(q.out, vote)
	})
	cmd.Flags().StringVar(&keyFile, "key", "", "private key of a reviewer that trust.json names; without one the vote is a session vote")
	cmd.Flags().StringVar(&value, "value", "approve", "approve or reject")
	return cmd
}

// castVote votes with the key, if there is one, else by the session alone.
func castVote(ctx context.Context, c *client.Client, r *admission.Review, keyFile, decision string) (*admission.Vote, error) {
	if keyFile == "" {
		return c.Vote(ctx, r.ID, r.Subject, decision)
	}
	key, err := attest.LoadKey(keyFile)
	if err != nil {
		return nil, err
	}
	here, err := c.Identity(ctx)
	if err != nil {
		return nil, err
	}
	statement, err := approval.BuildVote(approval.Vote{
		Registry: here.Registry, Tenant: here.Tenant, Server: r.Version.Name, Version: r.Version.Version,
		Decision: decision, Subject: r.Subject, At: time.Now().UTC().Truncate(time.Second),
	})
	if err != nil {
		return nil, err
	}
	bundle, err := key.Sign(ctx, statement)
	if err != nil {
		return nil, err
	}
	return c.VoteSigned(ctx, r.ID, r.Subject, bundle)
}

func newReviewWaive() *cobra.Command {
	var w registryapi.NewWaiver
	var life time.Duration
	cmd := reviewVerb("waive REVIEW", "Waive one finding: rule, pointer and leaf digest, for a time", func(q *question, args []string) error {
		r, err := q.client.Review(q.ctx, args[0])
		if err != nil {
			return err
		}
		w.Expires = time.Now().Add(life).UTC().Truncate(time.Second)
		if w.Leaf == "" {
			for _, f := range r.Version.Findings {
				if f.Rule == w.Rule && f.Pointer == w.Pointer {
					w.Leaf = f.Leaf
				}
			}
			if w.Leaf == "" {
				return usageError("the review has no finding %s at %s", w.Rule, w.Pointer)
			}
		}
		r, err = q.client.Waive(q.ctx, r.ID, r.Subject, w)
		if err != nil {
			return err
		}
		return printReview(q.out, r, q.format)
	})
	cmd.Flags().StringVar(&w.Rule, "rule", "", "rule id")
	cmd.Flags().StringVar(&w.Pointer, "pointer", "", "JSON Pointer of the finding")
	cmd.Flags().StringVar(&w.Leaf, "leaf", "", "leaf digest (default: that of the review's finding)")
	cmd.Flags().StringVar(&w.Reason, "reason", "", "why, for the record")
	cmd.Flags().DurationVar(&life, "expires-in", 30*24*time.Hour, "at most 90 days")
	for _, f := range []string{"rule", "pointer", "reason"} {
		_ = cmd.MarkFlagRequired(f)
	}
	return cmd
}

func newReviewApprove() *cobra.Command {
	return reviewVerb("approve REVIEW", "Have the approval signed, if the checklist and the votes allow", func(q *question, args []string) error {
		r, err := q.client.Review(q.ctx, args[0])
		if err != nil {
			return err
		}
		v, err := q.client.Approve(q.ctx, r.ID, r.Subject)
		if err != nil {
			return err
		}
		return printVersion(q.out, v, q.format)
	})
}

func newReviewReject() *cobra.Command {
	var reason string
	cmd := reviewVerb("reject REVIEW", "Decide against the version, for good", func(q *question, args []string) error {
		r, err := q.client.Review(q.ctx, args[0])
		if err != nil {
			return err
		}
		v, err := q.client.Reject(q.ctx, r.ID, r.Subject, reason)
		if err != nil {
			return err
		}
		return printVersion(q.out, v, q.format)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}
