//go:build !race

package lazy_test

const race = false
