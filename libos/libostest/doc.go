// Package libostest has the suites that devices pass, whoever makes them:
// TestNet for a libos.Net, TestLink for a libos.Link, TestBlock for a libos.Block. And
// what tests need besides: KeepPcap leaves a capture behind when a test fails, ServeDNS
// is a name server with a zone of a few lines, and a Disk is in memory.
package libostest
