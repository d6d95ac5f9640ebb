package jobs

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// Infos are jobs as the wire has them, in the order in which they were submitted: one in full, or all, of which the list has what fits on
// their lines. So two thousand are less than a message may have.
func Infos(s *state.State, query *api.JobQuery) []*api.JobInfo {
	if id := query.GetId(); id != 0 {
		j, ok := s.Job(id)
		if !ok {
			return nil
		}
		return []*api.JobInfo{info(s, j)}
	}
	var list []*api.JobInfo
	for j := range s.Jobs() {
		m := info(s, j)
		m.Text, m.Reason, m.Places = brief(m.Text), brief(m.Reason), nil
		list = append(list, m)
	}
	return list
}

// info is a job in full.
func info(s *state.State, j *state.Job) *api.JobInfo {
	m := &api.JobInfo{
		Id: j.ID, Status: j.Status.String(), User: j.User, Text: j.Text,
		SubmittedMicros: j.Submitted, BeganMicros: j.Began, EndedMicros: j.Ended,
		Attempt: j.Attempt, Attempts: int64(j.Attempts), Width: int64(j.Width), Slots: int64(len(j.Slots)),
		Gateway: j.Gateway.Node[:], GatewayName: nameOf(s, j.Gateway.Node), Reason: j.Reason, Rows: j.Rows,
	}
	at := map[state.ID]*api.NodeSlots{}
	for _, h := range j.Slots {
		if at[h.Node] == nil {
			at[h.Node] = &api.NodeSlots{Node: nameOf(s, h.Node)}
			m.Places = append(m.Places, at[h.Node])
		}
		at[h.Node].Slots++
	}
	return m
}

// nameOf is what a server is called: its id if it is not known any more.
func nameOf(s *state.State, id state.ID) string {
	if n, ok := s.Node(id); ok {
		return n.Name
	}
	return id.Short()
}

// nowIn is the time by which a state's times are to be understood, µs.
func nowIn(s *state.State) int64 { return max(time.Now().UnixMicro(), s.Time()) }

// briefBytes is how much of a text a line of a list has.
const briefBytes = 200

// brief is the beginning of a text, on one line.
func brief(text string) string {
	line := text[:min(len(text), 4*briefBytes)] // what is behind that would be cut anyway
	line = strings.Join(strings.Fields(strings.ToValidUTF8(line, "")), " ")
	if len(line) <= briefBytes {
		if len(text) > 4*briefBytes {
			line += "…"
		}
		return line
	}
	n := briefBytes
	for !utf8.RuneStart(line[n]) {
		n--
	}
	return strings.TrimSpace(line[:n]) + "…"
}
