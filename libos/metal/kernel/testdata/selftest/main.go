// Command selftest is what the tests of package kernel boot: each argument names
// a case, which is run and then reported as "ok NAME". Cases that end the
// program come last.
package main

import (
	"fmt"
	"os"

	"cairn/libos/metal/kernel"
)

// cases by name; a case that fails panics.
var cases = map[string]func(){
	"running": func() { must(kernel.Running()) },

	"nil-read": nilRead, "nil-write": nilWrite, "nil-call": nilCall, "divide": divide, "index": index, "map": nilMap,
	"text": writeText, "rodata": writeConstant, "nx": executeData, "high": nonCanonical, "nested": nestedFault,

	"channels": channels, "preemption": preemption, "sleeps": sleeps, "threads": lockedThreads, "deadlines": deadlines,
	"collector": collector, "registers": floatRegisters, "vectors": allRegisters, "files": files, "time": clocks, "random": random, "poll": poll,
	"unserved": unserved, "calls": calls, "every": every,

	"mappings": mappings, "reserving": reserving, "returning": returning, "areas": areas, "permissions": permissions,
	"agree": agree, "cheap": cheap, "idle": idle, "above": above, "date": date,

	"exit": func() { os.Exit(7) }, "panic": func() { panic("as it should") }, "overflow": overflow, "memory": outOfMemory,
	"deadlock": deadlock, "abort": abort, "badpointer": badPointer, "kernelstack": kernelStack, "nmi": nmi,
	"doublefault": doubleFault, "machinecheck": machineCheck, "fatalfault": fatalFault, "handlerfault": handlerFault,
	"faultloop": faultLoop,
}

func main() {
	for i, name := range os.Args[1:] {
		if name == "arguments" {
			fmt.Printf("%q GODEBUG=%q HOME=%q\n", os.Args[i+2:], os.Getenv("GODEBUG"), os.Getenv("HOME"))
			return
		}
		run, ok := cases[name]
		if !ok {
			fmt.Println("no such case:", name)
			os.Exit(99)
		}
		run()
		fmt.Println("ok", name)
	}
}

func must(ok bool) {
	if !ok {
		panic("it is not so")
	}
}
