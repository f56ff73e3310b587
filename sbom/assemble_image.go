package sbom

import (
	"fmt"
	"path"

	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
)

// imageLabels that say what an image is.
const (
	labelServer  = "io.modelcontextprotocol.server.name" // of the official registry's proof of ownership
	labelTitle   = "org.opencontainers.image.title"
	labelVersion = "org.opencontainers.image.version"
)

// imageRoot is what an image calls itself, until Enrich says better.
func (g *graph) imageRoot() node {
	n := node{name: "artifact"}
	for _, img := range g.st.image.images {
		for _, label := range []string{labelTitle, labelServer} {
			if name := img.Labels[label]; name != "" && len(name) <= 200 {
				n.name = name
			}
		}
		if v := img.Labels[labelVersion]; len(v) <= 100 {
			n.version = v
		}
	}
	return n
}

// addImages lists the packages of distributions. What they need of each other is
// left open.
func (g *graph) addImages() {
	for _, img := range g.st.image.images {
		g.rootNotes = append(g.rootNotes, note{propImage, img.Platform + " " + img.Digest})
		for _, db := range img.packages {
			for _, p := range db.list {
				n := &node{kind: p.Type, name: p.Name, version: p.Version, purl: p.Purl(img.release), scope: required}
				if p.License != "" {
					n.licenses = []catalogue.License{{Value: p.License, SPDX: isSPDX(p.License)}}
				}
				g.edge(rootRef, g.add(n, db.at))
			}
		}
	}
	for dir := range g.st.image.unreadOS {
		g.gap(dir, "holds an RPM database, which is not read")
	}
}

// settleImages counts the executables that nothing accounts for.
func (g *graph) settleImages() {
	first, n := "", 0
	for _, at := range sorted(g.st.image.strays) {
		if g.explained[at] || g.st.image.owned[at] {
			continue
		}
		if n++; n == 1 {
			first = at
		}
	}
	if n > 0 {
		g.gap("", fmt.Sprintf("%s of the image belong to no package that is listed, such as %s", count(n, "executable", "executables"), g.location(first)))
	}
}

// ofDistribution: a package of the distribution brought the project along.
func (g *graph) ofDistribution(dir, manifest string) bool {
	return g.st.image.owned[path.Join(dir, manifest)]
}
