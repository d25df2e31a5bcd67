// Package setup is the wiring that commands share: arguments for a seed, for a
// repository somewhere else and for certificates, and what is made of them.
package setup
