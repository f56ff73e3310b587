package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// reloadable are the settings, by key or group, that a running process takes
// over. Everything else needs a restart.
var reloadable = []string{
	"scanners", "gateway.servers", "gateway.autoRoutes", "gateway.drainGrace", "gateway.local", "gateway.tlsCert", "gateway.tlsKey", "gateway.policies",
}

// Changed lists the keys of the settings in which two configurations differ,
// those of one list or one group of lists by the name of the whole.
func Changed(before, after Config) []string {
	var keys []string
	old := scalars(&before)
	for i, s := range scalars(&after) {
		if s.String() != old[i].String() {
			keys = append(keys, s.key)
		}
	}
	if !reflect.DeepEqual(before.Gateway.Servers, after.Gateway.Servers) {
		keys = append(keys, "gateway.servers")
	}
	if !reflect.DeepEqual(before.Registry.Ownership.Issuers, after.Registry.Ownership.Issuers) {
		keys = append(keys, "registry.ownership.issuers")
	}
	return keys
}

// CheckReload reports the settings among keys that need a restart, and what a
// running listener cannot become: TLS where there was none, or none.
func CheckReload(before, after Config) error {
	var stuck []string
	for _, key := range Changed(before, after) {
		if !slices.ContainsFunc(reloadable, func(room string) bool { return key == room || strings.HasPrefix(key, room+".") }) {
			stuck = append(stuck, key)
		}
	}
	if (before.Gateway.TLSCert == "") != (after.Gateway.TLSCert == "") {
		stuck = append(stuck, "gateway.tlsCert")
	}
	if len(stuck) > 0 {
		return fmt.Errorf("a restart is needed for %s", strings.Join(stuck, ", "))
	}
	return nil
}
