package engine

import "context"

// Completing is Complete without its net: a fault inside is a panic.
func Completing(s *Session, ctx context.Context, text string, cursor int) Completion { //nolint:revive // as the method has it
	return s.complete(ctx, text, cursor)
}
