package journal_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/journal"
	"tilld/internal/record"
)

var errCrash = errors.New("crash")

// crashes opens the journal again and again, ending it before its first durable step, its second and so on, until it
// comes up. It answers how many points there were and what the last Open found.
func crashes(t *testing.T, cfg journal.Config) (points int, st journal.State) {
	t.Helper()
	for {
		step := 0
		c := cfg
		c.Fault = func(string) error {
			if step++; step == points+1 {
				return errCrash
			}
			return nil
		}
		j, st, err := journal.Open(t.Context(), c)
		if err == nil {
			if err := j.Close(); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			return points, st
		}
		if !errors.Is(err, errCrash) {
			t.Fatalf("crash point %d: %v", points, err)
		}
		points++
	}
}

// each crash point of its own: a start that dies there, then one that comes up.
func eachCrash(t *testing.T, prepare func(t *testing.T) journal.Config, check func(t *testing.T, j *journal.Journal, st journal.State)) {
	t.Helper()
	for point := 1; ; point++ {
		cfg := prepare(t)
		step, died := 0, false
		c := cfg
		c.Fault = func(op string) error {
			if step++; step == point {
				died = true
			}
			plant(t, cfg.Dir, op, step == point)
			if step == point {
				return errCrash
			}
			return nil
		}
		j, _, err := journal.Open(t.Context(), c)
		if err == nil {
			_ = j.Close() // the point may lie in the end of it
		}
		boot(t, cfg, func(j *journal.Journal, st journal.State) { check(t, j, st) })
		boot(t, cfg, func(j *journal.Journal, st journal.State) { check(t, j, st) })
		if !died {
			t.Logf("%d crash points", point-1)
			if point < 5 {
				t.Errorf("only %d crash points", point-1)
			}
			return
		}
	}
}

func sound(t *testing.T, _ *journal.Journal, st journal.State) {
	t.Helper()
	if st.Lost || st.Restored {
		t.Errorf("a crash was taken for a loss: %+v", st)
	}
}

func TestCrashInTheFirstStartIsNoLossAndNoCopy(t *testing.T) {
	eachCrash(t, func(t *testing.T) journal.Config { return journal.Config{Dir: t.TempDir()} }, sound)
	if n, st := crashes(t, journal.Config{Dir: t.TempDir()}); n < 4 || st.Lost || st.Restored {
		t.Errorf("crashes one after another: %d, %+v", n, st)
	}
}

func TestCrashInALaterStartIsNoLossAndNoCopy(t *testing.T) {
	eachCrash(t, func(t *testing.T) journal.Config {
		cfg := journal.Config{Dir: t.TempDir()}
		for i := range 2 {
			boot(t, cfg, func(j *journal.Journal, _ journal.State) { commit(t, j, one(fmt.Sprint(i))) })
		}
		return cfg
	}, func(t *testing.T, j *journal.Journal, st journal.State) {
		sound(t, j, st)
		if live, err := j.Live(t.Context(), "payment"); err != nil || len(live) != 2 {
			t.Errorf("live: %v, %v", live, err)
		}
	})
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, nil)
	if n, st := crashes(t, cfg); n < 3 || st.Lost || st.Restored {
		t.Errorf("crashes one after another: %d, %+v", n, st)
	}
}

func TestCrashNeverHidesACopy(t *testing.T) {
	eachCrash(t, func(t *testing.T) journal.Config {
		cfg := journal.Config{Dir: t.TempDir()}
		boot(t, cfg, nil)
		restore := save(t, cfg.Dir, "journal.db")
		boot(t, cfg, nil)
		restore()
		return cfg
	}, func(t *testing.T, j *journal.Journal, st journal.State) {
		if !st.Restored || st.Lost || !j.Meta().Restored {
			t.Errorf("the copy was taken for the journal: %+v", st)
		}
	})
}

func TestCrashNeverHidesALoss(t *testing.T) {
	eachCrash(t, func(t *testing.T) journal.Config {
		cfg := journal.Config{Dir: t.TempDir()}
		boot(t, cfg, nil)
		damage(t, cfg.Dir)
		return cfg
	}, func(t *testing.T, j *journal.Journal, st journal.State) {
		if !st.Lost || st.Restored || !j.Meta().Lost || !strings.Contains(st.SetAside, "journal.db.damaged-") {
			t.Errorf("the loss is forgotten: %+v", st)
		}
	})
}

func damage(t *testing.T, dir string) []byte {
	t.Helper()
	junk := bytes.Repeat([]byte("junk"), 5000)
	if err := os.WriteFile(journal.Path(dir), junk, 0o600); err != nil {
		t.Fatal(err)
	}
	return junk
}

func TestDamagedJournalIsSetAsideAndNeedsAPerson(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	old := ""
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, one("a"))
		old = j.Meta().Journal
	})
	junk := damage(t, cfg.Dir)
	now := ""
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		now = j.Meta().Journal
		if !st.Lost || st.New || st.Restored || now == old || !strings.Contains(st.Why, "is damaged") {
			t.Errorf("state %+v, journal %s then %s", st, old, now)
		}
		t.Log(st.Why)
		if kept, err := os.ReadFile(st.SetAside); err != nil || !bytes.Equal(kept, junk) {
			t.Errorf("what is set aside at %q: %v", st.SetAside, err)
		}
		if err := j.CanStart(); !errors.Is(err, record.ErrAcknowledge) {
			t.Errorf("may sell: %v", err)
		}
		commit(t, j, one("b")) // what the integrator sends is taken in all the same
	})
	boot(t, cfg, func(j *journal.Journal, st journal.State) { // a restart is no person
		if !st.Lost || j.Meta().Journal != now {
			t.Errorf("after a restart: %+v", st)
		}
		if err := j.Acknowledge(t.Context(), "", "x"); err == nil {
			t.Error("nobody acknowledged")
		}
		if err := j.Acknowledge(t.Context(), "Olga", "looked at all three bills"); err != nil {
			t.Fatal(err)
		}
		if err := j.CanStart(); err != nil || j.Meta().Lost {
			t.Errorf("after the acknowledgement: %v, %+v", err, j.Meta())
		}
	})
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if st.Lost || st.Restored || j.CanStart() != nil || j.Meta().Journal != now {
			t.Errorf("at the next start: %+v", st)
		}
	})
}

func TestDatabaseThatIsGoneIsALoss(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, nil)
	for name, do := range map[string]func() error{
		"removed": func() error { return os.Remove(journal.Path(cfg.Dir)) },
		"emptied": func() error { return os.Truncate(journal.Path(cfg.Dir), 0) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		boot(t, cfg, func(j *journal.Journal, st journal.State) {
			if !st.Lost || st.New {
				t.Errorf("%s: %+v", name, st)
			}
			if err := j.Acknowledge(t.Context(), "Olga", "x"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestCopyIsFoundHoweverItCame(t *testing.T) {
	gen := func(dir string) string { return filepath.Join(dir, "generation") }
	for name, do := range map[string]func(t *testing.T, cfg journal.Config){
		"older database": func(t *testing.T, cfg journal.Config) {
			restore := save(t, cfg.Dir, "journal.db")
			boot(t, cfg, nil)
			restore()
		},
		"much older database": func(t *testing.T, cfg journal.Config) {
			restore := save(t, cfg.Dir, "journal.db")
			for range 3 {
				boot(t, cfg, nil)
			}
			restore()
		},
		"copy of a running one, put back after its end": func(t *testing.T, cfg journal.Config) {
			var restore func()
			boot(t, cfg, func(j *journal.Journal, _ journal.State) {
				commit(t, j, one("known to the copy"))
				restore = save(t, cfg.Dir, "journal.db", "journal.db-wal")
				commit(t, j, one("unknown to the copy"))
			})
			restore()
		},
		"older file beside it": func(t *testing.T, cfg journal.Config) {
			restore := save(t, cfg.Dir, "generation")
			for range 2 {
				boot(t, cfg, nil)
			}
			restore()
		},
		"no file beside it":     func(t *testing.T, cfg journal.Config) { _ = os.Remove(gen(cfg.Dir)) },
		"broken file beside it": func(t *testing.T, cfg journal.Config) { _ = os.Truncate(gen(cfg.Dir), 9) },
		"empty file beside it":  func(t *testing.T, cfg journal.Config) { _ = os.Truncate(gen(cfg.Dir), 0) },
		"database of another box": func(t *testing.T, cfg journal.Config) {
			other := journal.Config{Dir: t.TempDir()}
			boot(t, other, nil)
			b, err := os.ReadFile(journal.Path(other.Dir))
			if err := errors.Join(err, os.WriteFile(journal.Path(cfg.Dir), b, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		"as the integrator says": func(t *testing.T, cfg journal.Config) {
			boot(t, cfg, func(j *journal.Journal, _ journal.State) {
				if err := j.MarkRestored(t.Context(), "seen is below what was acknowledged"); err != nil {
					t.Fatal(err)
				}
				if !j.Meta().Restored || j.CanStart() == nil {
					t.Error("sells although it is a copy")
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := journal.Config{Dir: t.TempDir()}
			boot(t, cfg, nil)
			do(t, cfg)
			for range 2 {
				boot(t, cfg, func(j *journal.Journal, st journal.State) {
					if !st.Restored || st.Lost || st.Why == "" || !j.Meta().Restored || !errors.Is(j.CanStart(), record.ErrAcknowledge) {
						t.Errorf("state %+v, may sell: %v", st, j.CanStart())
					}
					t.Log(st.Why)
				})
			}
			boot(t, cfg, func(j *journal.Journal, _ journal.State) {
				if err := errors.Join(j.Acknowledge(t.Context(), "Olga", "x"), j.CanStart()); err != nil {
					t.Error(err)
				}
			})
			boot(t, cfg, func(j *journal.Journal, st journal.State) { sound(t, j, st) })
		})
	}
}

// A journal that has lost the row that says whose it is holds records all the same: it is damaged, not new.
func TestRecordsOfNobodyAreSetAside(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	old := ""
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, one("a"))
		old = j.Meta().Journal
	})
	db, err := sql.Open("sqlite", journal.Path(cfg.Dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("DELETE FROM meta")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if !st.Lost || st.SetAside == "" || j.Meta().Journal == old || !strings.Contains(st.Why, "does not say whose") {
			t.Errorf("%+v", st)
		}
		commit(t, j, one("a"))
	})
}
