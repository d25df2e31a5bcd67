package auth

// A Verdict is what one check came to, in the words of RFC 8601 §2.7.
type Verdict string

const (
	None      Verdict = "none"      // there was nothing to check
	Pass      Verdict = "pass"      // it is as it says
	Fail      Verdict = "fail"      // it is not
	SoftFail  Verdict = "softfail"  // SPF: probably not
	Neutral   Verdict = "neutral"   // SPF: the domain does not say
	Policy    Verdict = "policy"    // DKIM: valid, and not accepted
	TempError Verdict = "temperror" // not to be found out now; later it may be
	PermError Verdict = "permerror" // not to be found out ever: somebody made a mistake
)
