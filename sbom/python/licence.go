package python

import (
	"cmp"
	"strings"
)

// classifiers that name exactly one licence (trove classifiers, which PEP 639
// replaces). "BSD License" and the like name several and stay as they are.
var classifiers = map[string]string{
	"MIT License":                                             "MIT",
	"MIT No Attribution License":                              "MIT-0",
	"Apache Software License":                                 "Apache-2.0",
	"ISC License (ISCL)":                                      "ISC",
	"Mozilla Public License 2.0 (MPL 2.0)":                    "MPL-2.0",
	"The Unlicense (Unlicense)":                               "Unlicense",
	"Zero-Clause BSD (0BSD)":                                  "0BSD",
	"GNU General Public License v2 (GPLv2)":                   "GPL-2.0-only",
	"GNU General Public License v2 or later (GPLv2+)":         "GPL-2.0-or-later",
	"GNU General Public License v3 (GPLv3)":                   "GPL-3.0-only",
	"GNU General Public License v3 or later (GPLv3+)":         "GPL-3.0-or-later",
	"GNU Lesser General Public License v3 (LGPLv3)":           "LGPL-3.0-only",
	"GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
	"GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
	"GNU Affero General Public License v3":                    "AGPL-3.0-only",
	"GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
	"Boost Software License 1.0 (BSL-1.0)":                    "BSL-1.0",
	"European Union Public Licence 1.2 (EUPL 1.2)":            "EUPL-1.2",
	"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":    "CC0-1.0",
	"Historical Permission Notice and Disclaimer (HPND)":      "HPND",
	"Universal Permissive License (UPL)":                      "UPL-1.0",
	"Eclipse Public License 2.0 (EPL-2.0)":                    "EPL-2.0",
	"Blue Oak Model License (BlueOak-1.0.0)":                  "BlueOak-1.0.0",
	"GNU Lesser General Public License v2 (LGPLv2)":           "LGPL-2.0-only",
}

func (m *Manifest) license(s string) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 256 || !printable(s) {
		return // a whole licence text is no name of one
	}
	m.Licenses = append(m.Licenses, s)
}

// classified adds what the trove classifiers say, unless a field said it.
func (m *Manifest) classified(list []string) {
	if len(m.Licenses) > 0 {
		return
	}
	for _, c := range list {
		rest, ok := strings.CutPrefix(c, "License :: ")
		if !ok {
			continue
		}
		name := rest[strings.LastIndex(rest, " :: ")+1:]
		name = strings.TrimSpace(strings.TrimPrefix(name, ":: "))
		if name == "OSI Approved" {
			continue
		}
		m.license(cmp.Or(classifiers[name], name))
	}
}
