package past

import "cairn/services/caldav/shelf"

// settings says in words what was done to the properties of a collection, as far as
// people know them.
func settings(before, after side) []string {
	name, p, q := called(after), before.Props(), after.Props()
	var done []string
	say := func(changed bool, text string) {
		if changed {
			done = append(done, text)
		}
	}
	say(called(before) != name, "renamed "+called(before)+" to "+name)
	say(p.Color != q.Color, "changed the colour of "+name)
	say(!p.Public && q.Public, "made "+name+" public")
	say(p.Public && !q.Public, "made "+name+" private")
	say(p.Nonce == "" && q.Nonce != "", "made a secret address of "+name)
	say(p.Nonce != "" && q.Nonce != "" && p.Nonce != q.Nonce, "made a new secret address of "+name)
	say(p.Nonce != "" && q.Nonce == "", "switched off the secret address of "+name)
	for _, user := range q.Users() {
		how := map[shelf.Access]string{shelf.Read: " to read", shelf.ReadWrite: " to read and change"}[q.Shares[user]]
		say(p.Shares[user] != q.Shares[user], "shared "+name+" with "+clean(user)+how)
	}
	for _, user := range p.Users() {
		say(q.Shares[user] == shelf.NoAccess, "stopped sharing "+name+" with "+clean(user))
	}
	return done
}
