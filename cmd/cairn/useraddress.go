package main

import "context"

type userAddress struct {
	Add    userAddressAdd    `cmd:"" help:"Give a user an address."`
	Remove userAddressRemove `cmd:"" help:"Take an address away."`
}

type userAddressAdd struct {
	Name    string `arg:""`
	Address string `arg:"" help:"Such as alice@example.org."`
}

func (c *userAddressAdd) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		return house.accounts.AddAddress(ctx, operator(), c.Name, c.Address)
	})
}

type userAddressRemove struct {
	Name    string `arg:""`
	Address string `arg:""`
}

func (c *userAddressRemove) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		return house.accounts.RemoveAddress(ctx, operator(), c.Name, c.Address)
	})
}
