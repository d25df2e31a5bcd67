// Package mailbox keeps mail: what each person has lies on the branch mail/<user>.
package mailbox
