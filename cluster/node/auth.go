package node

import (
	"context"
	"strings"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/link"
)

type callerKey struct{}

// authorize finds out who calls, for the services to judge by. Nobody's calls are refused before they are read, so that those
// who may nothing cannot fill the memory.
func (n *Node) authorize(ctx context.Context, _ *tap.Info) (context.Context, error) {
	who, err := n.caller(ctx)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if who.Role == identity.None {
		return nil, status.Error(codes.Unauthenticated, "this needs a client certificate, or a token that is known here")
	}
	return context.WithValue(ctx, callerKey{}, who), nil
}

// caller is who a call comes from. Without certificates nobody can tell: everyone is one of us.
func (n *Node) caller(ctx context.Context) (identity.Peer, error) {
	if n.cfg.Certs == nil {
		return identity.Peer{Name: "anyone", Role: identity.Node}, nil
	}
	var who identity.Peer
	if p, ok := grpcpeer.FromContext(ctx); ok {
		if tls, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			var err error
			if who, err = identity.PeerOf(tls.State); err != nil {
				return who, err
			}
		}
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, value := range md.Get("authorization") {
		hash, err := identity.HashToken(strings.TrimPrefix(value, "Bearer "))
		if err != nil {
			return who, err
		}
		for t := range n.coord.State().Tokens() {
			if t.Hash != hash { // of secrets: comparing them tells nothing about those
				continue
			}
			if role, err := identity.ParseRole(t.Role); err == nil && who.Role < role {
				who = identity.Peer{Name: t.Name, Role: role}
			}
		}
	}
	return who, nil
}

// allow judges whether the caller of a service may do what needs a role.
func allow(ctx context.Context, need identity.Role) error {
	who, _ := ctx.Value(callerKey{}).(identity.Peer)
	if who.Role.Allows(need) {
		return nil
	}
	return status.Errorf(codes.PermissionDenied, "this needs the role %s, and %s has %s", need, who.Name, who.Role)
}

// refuseStrangers refuses streams of no service here, so that none comes in past authorize, and keeps those between servers
// to them.
func refuseStrangers(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	switch {
	case strings.HasPrefix(info.FullMethod, "/"+api.Files_ServiceDesc.ServiceName+"/"): // they judge by themselves
	case strings.HasPrefix(info.FullMethod, "/"+api.Jobs_ServiceDesc.ServiceName+"/"): // they do, too
	case ofServers(info.FullMethod):
		if err := allow(stream.Context(), identity.Node); err != nil {
			return err
		}
	default:
		return status.Error(codes.Unimplemented, "no such service")
	}
	return handler(srv, stream)
}

// ofServers tells whether a method is of a service that is for servers only.
func ofServers(method string) bool {
	for _, service := range []string{api.Blocks_ServiceDesc.ServiceName, api.Workers_ServiceDesc.ServiceName, link.Service} {
		if strings.HasPrefix(method, "/"+service+"/") {
			return true
		}
	}
	return false
}

// onlyServers keeps the calls between servers to them.
func onlyServers(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if ofServers(info.FullMethod) {
		if err := allow(ctx, identity.Node); err != nil {
			return nil, err
		}
	}
	return handler(ctx, req)
}

// recovered turns a panic of a call into an error of it: what one caller sends must not end the server for all.
func (n *Node) recovered(method string, err *error) {
	if v := recover(); v != nil {
		n.log.Error("internal error", zap.String("call", method), zap.Any("reason", v), zap.Stack("stack"))
		*err = status.Errorf(codes.Internal, "internal error: %v; this is a bug, please report it", v)
	}
}

func (n *Node) recoverCall(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
	defer n.recovered(info.FullMethod, &err)
	return handler(ctx, req)
}

func (n *Node) recoverStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer n.recovered(info.FullMethod, &err)
	return handler(srv, stream)
}
