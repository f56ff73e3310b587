package tasks

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var (
	alice   = Owner{"default", "alice"}
	mallory = Owner{"default", "mallory"}
	other   = Owner{"other", "alice"}
)

func ledger(perOwner int) (*Ledger, *time.Time) {
	now := time.Unix(1_700_000_000, 0)
	return New(perOwner, func() time.Time { return now }), &now
}

func TestOnlyTheOwnerFinds(t *testing.T) {
	l, now := ledger(8)
	if err := l.Note("s", "1", alice, Task{"slow"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, space, id string
		by              Owner
		ok              bool
	}{
		{"the owner", "s", "1", alice, true},
		{"another principal", "s", "1", mallory, false},
		{"another tenant", "s", "1", other, false},
		{"another server", "z", "1", alice, false},
		{"another id", "s", "2", alice, false},
		{"no id", "s", "", alice, false},
	} {
		if task, ok := l.Find(tt.space, tt.id, tt.by); ok != tt.ok || ok && task.Tool != "slow" {
			t.Errorf("%s: %+v %v", tt.name, task, ok)
		}
	}
	if err := l.Note("s", "1", mallory, Task{"mine"}, time.Hour); !errors.Is(err, ErrForeign) {
		t.Errorf("taking over: %v", err)
	}
	l.Renew("s", "1", mallory, MaxLife)
	if err := l.Note("z", "1", mallory, Task{"mine"}, time.Hour); err != nil {
		t.Errorf("the same id elsewhere: %v", err)
	}
	*now = now.Add(time.Minute)
	if _, ok := l.Find("s", "1", alice); ok {
		t.Error("found after its time")
	}
	if err := l.Note("s", "1", mallory, Task{"mine"}, time.Hour); err != nil {
		t.Errorf("an id that is free again: %v", err)
	}
	if _, ok := l.Find("s", "1", alice); ok {
		t.Error("found under its next owner")
	}
}

func TestLife(t *testing.T) {
	l, now := ledger(8)
	for id, life := range map[string]time.Duration{"none": 0, "ever": -1, "years": 1 << 62, "minute": time.Minute} {
		if err := l.Note("s", id, alice, Task{}, life); err != nil {
			t.Fatal(err)
		}
	}
	has := func(id string) bool { _, ok := l.Find("s", id, alice); return ok }
	if has("none") || !has("minute") {
		t.Error("a life of nothing, or of a minute")
	}
	*now = now.Add(30 * time.Second)
	l.Renew("s", "minute", alice, time.Minute)
	*now = now.Add(59 * time.Second)
	if !has("minute") || !has("ever") {
		t.Error("renewed life is not counted from then")
	}
	*now = now.Add(MaxLife)
	if has("ever") || has("years") || has("minute") {
		t.Error("remembered for ever")
	}
	if len(l.tasks)+len(l.owned) != 0 {
		t.Errorf("%d tasks of %d owners are left", len(l.tasks), len(l.owned))
	}
}

func TestNumberOfTasks(t *testing.T) {
	l, now := ledger(3)
	if err := l.Note("s", "keep", mallory, Task{}, time.Hour); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		*now = now.Add(time.Second)
		if err := l.Note("s", fmt.Sprint(i), alice, Task{}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if _, ok := l.Find("s", fmt.Sprint(i), alice); ok != (i >= 7) {
			t.Errorf("task %d: %v", i, ok)
		}
	}
	if _, ok := l.Find("s", "keep", mallory); !ok || len(l.tasks) != 4 {
		t.Errorf("another's task: %v, %d in all", ok, len(l.tasks))
	}
}
