package task

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rainsql/rainsql/connect"
)

// splitsOf are the splits of files, of each so many.
func splitsOf(files ...int) []connect.Split {
	var list []connect.Split
	for _, n := range files {
		first := len(list)
		for range n {
			list = append(list, connect.Split{Ordinal: len(list), First: first})
		}
	}
	return list
}

func tally(n int) connect.Tally { return connect.Tally{Quotes: int64(n), Lines: int64(10 * n)} }

// TestBefore: sums are of the splits of a file, and wait for those that somebody has.
func TestBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShared(splitsOf(3, 1, 3))
		for range 6 {
			if _, err := s.Take(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		type answer struct {
			t    connect.Tally
			upto int
		}
		got := map[int]answer{}
		var mu sync.Mutex
		for i := range 7 {
			go func() {
				sum, upto, err := s.Before(t.Context(), i)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got[i] = answer{sum, upto}
			}()
		}
		expect := func(what string, want map[int]answer) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(got) != len(want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
			for i, a := range want {
				if got[i] != a {
					t.Errorf("%s: before %d: %v, want %v", what, i, got[i], a)
				}
			}
		}
		want := map[int]answer{0: {upto: 0}, 3: {upto: 3}, 4: {upto: 4}}
		expect("nothing is counted", want)
		s.Publish(1, tally(2))
		s.Publish(5, tally(7))
		expect("the first is not", want)
		s.Publish(0, tally(1))
		s.Publish(0, tally(1000)) // again
		want[1], want[2] = answer{tally(1), 1}, answer{tally(3), 2}
		expect("a file is", want)
		s.Withdraw(4)
		want[5], want[6] = answer{upto: 4}, answer{upto: 4}
		expect("one is given up", want)
		s.Publish(4, tally(5))
		if sum, upto, err := s.Before(t.Context(), 6); err != nil || upto != 6 || sum != tally(12) {
			t.Errorf("%v before %d, %v", sum, upto, err)
		}
	})
}

// TestBeforeEnds: who waits is not kept when nobody is interested any more.
func TestBeforeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShared(splitsOf(2))
		if _, err := s.Take(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(boom) })
		if _, _, err := s.Before(ctx, 1); !errors.Is(err, boom) {
			t.Error(err)
		}
	})
}

// TestBeforeInAnyOrder: whatever the order of counts, sums are what they should be.
func TestBeforeInAnyOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		splits := splitsOf(rnd.IntN(5), 1+rnd.IntN(9), rnd.IntN(5))
		s := NewShared(splits)
		for range splits {
			if _, err := s.Take(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range rnd.Perm(len(splits)) {
			s.Publish(i, tally(i+1))
		}
		for i, split := range splits {
			want := connect.Tally{}
			for k := split.First; k < i; k++ {
				want = want.Add(tally(k + 1))
			}
			if sum, upto, err := s.Before(t.Context(), i); err != nil || upto != i || sum != want {
				t.Fatalf("before %d of %v: %v, %d, %v", i, splits, sum, upto, err)
			}
		}
	}
}

// TestPatience: what others have passed by is waited for, though not for ever.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShared(splitsOf(6))
		s.Taken(0, 3, 5)
		s.Publish(0, tally(1))
		go func() {
			time.Sleep(patience - time.Second)
			s.Taken(1)
			time.Sleep(10 * patience)
			s.Publish(1, tally(2))
		}()
		began := time.Now()
		for i := range 2 {
			sum, upto, err := s.Before(t.Context(), 3)
			if want := 12*patience - time.Second; err != nil || upto != 2 || sum != tally(3) || time.Since(began) != want {
				t.Errorf("%d: %v before %d after %v, want %v, %v", i, sum, upto, time.Since(began), want, err)
			}
		}
		s.Publish(2, tally(3))
		s.Publish(3, tally(4))
		if _, upto, err := s.Before(t.Context(), 5); err != nil || upto != 4 || time.Since(began) != 12*patience-time.Second {
			t.Errorf("before %d after %v, %v: nobody is waited for twice", upto, time.Since(began), err)
		}
	})
}
