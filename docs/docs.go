// Package docs holds what is written for people, and gives the program the
// pages of it that `rainsql help` shows. Its tests run the examples of those
// pages, so that they cannot drift from the program.
package docs

import _ "embed"

// Language is LANGUAGE.md, the reference of the language.
//
//go:embed LANGUAGE.md
var Language string

// Errors is ERRORS.md, the errors with their causes and cures.
//
//go:embed ERRORS.md
var Errors string

// Tutorial is TUTORIAL.md, the first ten minutes.
//
//go:embed TUTORIAL.md
var Tutorial string

// Prompt is PROMPT.md: the prompt, its commands and keys.
//
//go:embed PROMPT.md
var Prompt string
