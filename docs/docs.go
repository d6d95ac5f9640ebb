// Package docs holds what is written for people. Its test runs the examples of
// LANGUAGE.md, so that the reference cannot drift from the program.
package docs
