package past

import "cairn/services/caldav/shelf"

// settings says in words what was done to the properties of a collection, as far as
// people know them.
func settings(before, after side) []string {
	return append(looks(before, after), access(before, after)...)
}

// looks are those that say how it looks.
func looks(before, after side) []string {
	var done []string
	if called(before) != called(after) {
		done = append(done, "renamed "+called(before)+" to "+called(after))
	}
	if before.Props().Color != after.Props().Color {
		done = append(done, "changed the colour of "+called(after))
	}
	return done
}

// access are those that say who may see it.
func access(before, after side) []string {
	name, p, q := called(after), before.Props(), after.Props()
	var done []string
	say := func(changed bool, text string) {
		if changed {
			done = append(done, text)
		}
	}
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
