package node

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/wire"
)

// TestAccess calls every method of the file store and of queries with every role: those that are not enough are refused, all others are not.
func TestAccess(t *testing.T) {
	needs := map[string]identity.Role{
		"Stage": identity.Write, "Ensure": identity.Write, "Append": identity.Write, "Merge": identity.Write, "Check": identity.Write,
		"Open": identity.Read, "Pin": identity.Read, "Read": identity.Read, "Locate": identity.Read, "Usage": identity.Read, "Held": identity.Read,
		"StageLocal": identity.Admin,
		"Run":        identity.Read, "Show": identity.Read, "Tasks": identity.Read, "Cancel": identity.Write, "Kill": identity.Admin,
	}
	forServers := []*grpc.ServiceDesc{&api.Blocks_ServiceDesc, &api.Workers_ServiceDesc}
	ca := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(identity.CreateCA(ca))
	load := func(name string) *identity.Bundle {
		b, err := identity.Load(filepath.Join(ca, name), time.Now())
		check(err)
		return b
	}
	check(identity.IssueNode(ca, filepath.Join(ca, "n1"), "n1", nil))
	check(identity.IssueNode(ca, filepath.Join(ca, "node"), "n2", nil))
	for _, r := range []identity.Role{identity.Read, identity.Write, identity.Admin} {
		check(identity.IssueClient(ca, filepath.Join(ca, r.String()), "ann", r))
	}
	n := boot(t, filepath.Join(t.TempDir(), "n1"), load("n1"))
	defer stop(t, n)
	until(t, "ready", func() bool { ready, _ := n.Ready(); return ready })
	for role := identity.None; role <= identity.Node; role++ {
		var who *identity.Bundle
		if role == identity.None {
			var err error
			who, err = identity.TrustOnly(filepath.Join(ca, "ca.pem"))
			check(err)
		} else {
			who = load(role.String())
		}
		conn, err := wire.Dialer{TLS: who.ClientTLS()}.GRPC(n.Addr())
		check(err)
		defer conn.Close()
		for _, service := range append(forServers, &api.Files_ServiceDesc, &api.Jobs_ServiceDesc) {
			for method, call := range methods(service) {
				need, known := needs[method]
				if slices.Contains(forServers, service) {
					need, known = identity.Node, true
				}
				if !known {
					t.Fatalf("%s: say here who may call it", method)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				code := status.Code(call(ctx, conn))
				cancel()
				refused := code == codes.PermissionDenied || code == codes.Unauthenticated
				if refused == role.Allows(need) || (code == codes.Unauthenticated) != (role == identity.None) || code == codes.DeadlineExceeded {
					t.Errorf("%s/%s, %s: %s", service.ServiceName, method, role, code)
				}
			}
		}
	}
}

// methods are ways to call each method of a service with an empty request.
func methods(service *grpc.ServiceDesc) map[string]func(context.Context, grpc.ClientConnInterface) error {
	calls := map[string]func(context.Context, grpc.ClientConnInterface) error{}
	for _, m := range service.Methods {
		calls[m.MethodName] = func(ctx context.Context, conn grpc.ClientConnInterface) error {
			return conn.Invoke(ctx, "/"+service.ServiceName+"/"+m.MethodName, &api.Nothing{}, &api.Nothing{})
		}
	}
	for i, m := range service.Streams {
		calls[m.StreamName] = func(ctx context.Context, conn grpc.ClientConnInterface) error {
			stream, err := conn.NewStream(ctx, &service.Streams[i], "/"+service.ServiceName+"/"+m.StreamName)
			if err != nil {
				return err
			}
			if err := stream.SendMsg(&api.Nothing{}); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			if err := stream.CloseSend(); err != nil {
				return err
			}
			for err == nil {
				err = stream.RecvMsg(&api.Nothing{})
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
	return calls
}
