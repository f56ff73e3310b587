package main

import _ "embed"

// provider is whoever issues keys that have no mark of their own.
type provider struct {
	name   string
	shapes [][]element
}

//go:embed providers.txt
var providerFile string

var providers = func() (all []provider) {
	lines(providerFile, func(fields []string) {
		p := provider{name: fields[0]}
		for _, shape := range fields[1:] {
			p.shapes = append(p.shapes, elements(shape))
		}
		all = append(all, p)
	})
	return all
}()

// nameSlots find a provider by a hash of the first four bytes of its name: those
// of slot h are byName[nameSlots[h]:nameSlots[h+1]], longer names first.
const slotBits = 10

var byName, nameSlots = func() (order []uint16, slots [1<<slotBits + 1]uint16) {
	for i := range providers {
		slots[slot(providers[i].name)+1]++
	}
	for h := range 1 << slotBits {
		slots[h+1] += slots[h]
	}
	order = make([]uint16, len(providers))
	next := slots
	for i := range providers {
		h := slot(providers[i].name)
		order[next[h]] = uint16(i)
		next[h]++
	}
	return order, slots
}()

func slot(name string) uint32 {
	four := uint32(name[0]|0x20) | uint32(name[1]|0x20)<<8 | uint32(name[2]|0x20)<<16 | uint32(name[3]|0x20)<<24
	return four * 0x9E3779B1 >> (32 - slotBits)
}

// providerAt returns the provider whose name is at text[i:], in any case; the
// longest of several.
func providerAt(text string, i int) *provider {
	if len(text)-i < 4 {
		return nil
	}
	h := slot(text[i:])
	var found *provider
	for _, n := range byName[nameSlots[h]:nameSlots[h+1]] {
		if p := &providers[n]; (found == nil || len(found.name) < len(p.name)) && fold(text[i:], p.name) {
			found = p
		}
	}
	return found
}

// issues reports that a value has one of the shapes of the provider's keys.
func (p *provider) issues(value string) bool {
	for _, shape := range p.shapes {
		if shortest(shape) <= len(value) && follow(value, 0, shape) == len(value) {
			return true
		}
	}
	return false
}
