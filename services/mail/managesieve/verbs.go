package managesieve

import (
	"errors"
	"io/fs"
	"strconv"

	"cairn/services/mail/scripts"
	"cairn/services/mail/sieve"
)

// result answers what the shelf was asked to do (RFC 5804 §1.3).
func (c *session) result(err error, text string) string {
	var name *scripts.NameError
	var script *sieve.Error
	switch {
	case err == nil:
		return answer("OK", "", text)
	case errors.Is(err, fs.ErrNotExist):
		return answer("NO", "(NONEXISTENT)", "There is no script of this name")
	case errors.Is(err, fs.ErrExist):
		return answer("NO", "(ALREADYEXISTS)", "There is a script of this name already")
	case errors.Is(err, scripts.ErrActive):
		return answer("NO", "(ACTIVE)", scripts.ErrActive.Error())
	case errors.Is(err, scripts.ErrFull):
		return answer("NO", "(QUOTA/MAXSCRIPTS)", scripts.ErrFull.Error())
	case errors.Is(err, scripts.ErrLong):
		return answer("NO", "(QUOTA/MAXSIZE)", scripts.ErrLong.Error())
	case errors.As(err, &name):
		return answer("NO", "", name.Error())
	case errors.As(err, &script):
		return answer("NO", "", script.Error())
	}
	c.server.Log.Error("managesieve", "user", c.user.Name, "client", c.remote, "err", err)
	return answer("NO", "(TRYLATER)", "This cannot be done at the moment: try again later")
}

func (c *session) haveSpace(args []string) string {
	size, _ := strconv.ParseInt(args[1], 10, 64) // it is a number
	return c.result(c.server.Shelf.Room(c.ctx, c.user.Name, args[0], size), "There is room")
}

func (c *session) putScript(args []string) string {
	return c.result(c.server.Shelf.Put(c.ctx, c.user, args[0], []byte(args[1])), "The script is kept")
}

func (c *session) checkScript(args []string) string {
	_, err := sieve.Parse([]byte(args[0]))
	return c.result(err, "The script means something")
}

func (c *session) listScripts([]string) string {
	list, err := c.server.Shelf.List(c.ctx, c.user.Name)
	if err != nil {
		return c.result(err, "")
	}
	for _, e := range list {
		if e.Active {
			c.wire.say(quote(e.Name) + " ACTIVE")
		} else {
			c.wire.say(quote(e.Name))
		}
	}
	return "OK"
}

func (c *session) setActive(args []string) string {
	return c.result(c.server.Shelf.Activate(c.ctx, c.user, args[0]), "Done")
}

func (c *session) getScript(args []string) string {
	source, err := c.server.Shelf.Read(c.ctx, c.user.Name, args[0])
	if err != nil {
		return c.result(err, "")
	}
	c.wire.say("{"+strconv.Itoa(len(source))+"}", string(source))
	return "OK"
}

func (c *session) deleteScript(args []string) string {
	return c.result(c.server.Shelf.Delete(c.ctx, c.user, args[0]), "The script is deleted")
}

func (c *session) renameScript(args []string) string {
	return c.result(c.server.Shelf.Rename(c.ctx, c.user, args[0], args[1]), "The script is renamed")
}
