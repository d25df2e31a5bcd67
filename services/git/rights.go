package git

import (
	"context"
	"errors"
	"io/fs"

	"cairn/services/accounts"
	"cairn/services/config"
)

// rights are what somebody may do at one place; doc/decisions/rights.md has
// them as a table.
type rights struct {
	read, write bool
	make        bool // the site is not there, but may be made by pushing to it
}

// rights are asked for u, nil for somebody who has not logged in.
func (s *Service) rights(ctx context.Context, u *accounts.User, p place) (rights, error) {
	admin := u != nil && u.Admin
	switch p.kind {
	case Site:
		return s.siteRights(ctx, u, p)
	case Dav, Mail:
		own := u != nil && u.Name == p.name
		return rights{read: own, write: own}, nil
	case Archive:
		_, err := s.Repo.Backend().Ref(ctx, heads+p.branch())
		if errors.Is(err, fs.ErrNotExist) {
			return rights{read: admin, write: admin}, nil
		}
		return rights{read: err == nil, write: admin}, err
	case Accounts, Config, Secrets, Queue, Lists, all:
		return rights{read: admin, write: admin}, nil
	default:
		return rights{}, nil
	}
}

func (s *Service) siteRights(ctx context.Context, u *accounts.User, p place) (rights, error) {
	name, admin := "", false
	if u != nil {
		name, admin = u.Name, u.Admin
	}
	site, err := s.Config.Site(ctx, p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.absentRights(ctx, u, p)
	case errors.Is(err, config.ErrRecord) && !admin:
		s.log().Error("nobody can use a site", "err", err)
		return rights{}, nil
	case err != nil:
		return rights{}, err
	}
	return rights{read: admin || site.MayRead(name), write: admin || site.MayWrite(name)}, nil
}

// absentRights are those at a site that the configuration does not know. When
// branches are left of one that was removed, they are not for whoever takes the
// name next: only an administrator sees them and may make the site again.
func (s *Service) absentRights(ctx context.Context, u *accounts.User, p place) (rights, error) {
	if u == nil || !u.Admin && !u.Sites {
		return rights{}, nil
	}
	left := false
	for _, err := range s.refs(ctx, p) {
		if err != nil {
			return rights{}, err
		}
		left = true
		break
	}
	may := u.Admin || !left
	return rights{read: u.Admin && left, write: may, make: may}, nil
}
