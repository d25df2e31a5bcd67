// Package libostest has the suites that devices pass, whoever makes them:
// TestNet for a libos.Net, TestLink for a libos.Link. And what tests of networks
// need besides: KeepPcap leaves a capture behind when a test fails, ServeDNS is a
// name server with a zone of a few lines.
package libostest
