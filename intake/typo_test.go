package intake

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// others are real companies that are not on the list of companies: what the
// rule does to whoever nobody wrote down.
func others() []string {
	return strings.Fields(`
aareon.com abas.com aberdeen.com acciona.com adecco.com ageas.com agfa.com alfalaval.com altana.com ambev.com.br amadeus.com
amdocs.com anaplan.com aperol.com aptean.com arcadis.com arkema.com asahi.com asda.com assaabloy.com atos.net aurubis.com
avaloq.com aveva.com avient.com axpo.com babbel.com backblaze.com bakerhughes.com ball.com barco.com basler.com bauer.com
bechtel.com beiersdorf.com bekaert.com bentley.com berkeley.com bilfinger.com biomerieux.com blackbaud.com bluescope.com
bobst.com boliden.com bolttech.io bonduelle.com borgwarner.com bouygues.com brenntag.com broadridge.com brother.com bucher.com
bunge.com bunzl.com burberry.com caterpillar.com cegid.com cellnex.com cerner.com chubb.com clarins.com claas.com cloudera.com
clifford.com coface.com coloplast.com commvault.com compass.com continental.com coty.com covestro.com crisp.chat criteo.com
croda.com cummins.com danfoss.com dassault.com deezer.com dekra.com dematic.com dexia.com dfds.com diebold.com domo.com
dormakaba.com draeger.com dropboxer.io ducati.com durr.com dyson.com ebmpapst.com edenred.com elior.com elopak.com enercon.de
endress.com entrust.com eppendorf.com equans.com essilor.com eurofins.com evonik.com exact.com experian.com falck.com
faurecia.com ferrero.com festo.com finastra.com fischer.de flir.com fluke.com fortum.com foss.com freenow.com fresenius.com
frontify.com fuchs.com galp.com geberit.com gebo.com genpact.com gerdau.com.br getaround.com givaudan.com glovo.com gnutti.com
grafana.com grundfos.com haas.com habasit.com hager.com hapag-lloyd.com haribo.com hays.com heidelberg.com hella.com hermes.com
hexagon.com hines.com holcim.com huber.com huhtamaki.com husqvarna.com iberdrola.com imerys.com imperva.com infineon.com
ingram.com intertek.com ipsos.com isover.com jcdecaux.com jeol.com jungheinrich.com kaercher.com kantar.com kemira.com
kingfisher.com knauf.com knorr.com komatsu.com krones.com kuka.com lanxess.com legrand.com leica.com leonardo.com liebherr.com
lonza.com luxottica.com magento.com mahle.com mambu.com manpower.com mapfre.com marel.com mediamarkt.de merz.com miele.com
mollie.com mongodb.com munichre.com natixis.com neste.com nexans.com nilfisk.com nissan.com nordea.com norican.com northvolt.com
novo.com ocado.com omron.com osram.com outokumpu.com pirelli.com plastic.com playtech.com porsche.com publicis.com quest.com
qiagen.com randstad.com recordati.com remondis.com rexel.com rieter.com rimac.com rockwell.com safran.com sartorius.com
schaeffler.com schindler.com schott.com securitas.com semrush.com sennheiser.com siemensgamesa.com sika.com sixt.com skoda.com
smurfit.com snowplow.io sonova.com soprasteria.com stada.com stellantis.com sulzer.com swarovski.com swisscom.com sycomp.com
symrise.com talend.com technip.com temenos.com tetrapak.com teva.com tieto.com trumpf.com umicore.com unilabs.com vaillant.com
valmet.com varian.com veolia.com vestas.com viessmann.com vinci.com vivendi.com voith.com vopak.com wacker.com wartsila.com
weg.net wilo.com wolters.com worldline.com wurth.com yokogawa.com yoox.com zalando.com zeiss.com zendure.com zurn.com
abiomed.com ahlsell.se altium.com arup.com bonprix.de bupa.co.uk capita.com chr.com elkem.com entel.cl ewe.de fnac.com
gore.com hain.com ipf.com jysk.com kaeser.com kpn.com laing.com mdi.com nets.eu olx.com ppd.com rational.de sgs.com tkh.com`)
}

// held counts the hosts that a set of candidates would ask about.
func held(j *Judge, among *candidates, hosts []string) (out []string) {
	for _, h := range hosts {
		if d := didYouMean(h, among); d != "" && !j.listed([]string{h}) {
			out = append(out, h+">"+d)
		}
	}
	return out
}

// The figures of docs/decisions/003-typo-candidates.md. A company that is taken
// for a slip loses its lead a day; a slip that is not seen loses one address.
func TestCompaniesAreNotTakenForMisspeltMailboxes(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	free, err1 := baseList(lists, "freemail")
	famous, err2 := baseList(lists, "companies")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	unknown := slices.DeleteFunc(others(), j.companies.has)
	if len(unknown) < 200 || len(famous.Entries) < 500 {
		t.Fatalf("%d and %d companies", len(famous.Entries), len(unknown))
	}
	whole := &candidates{}
	for _, h := range free.Entries {
		whole.add(h, false)
	}
	for _, c := range []struct {
		name   string
		among  *candidates
		hosts  []string
		atMost float64 // per cent
	}{
		{"well known, the list as it is", whole, famous.Entries, 100},
		{"others, the list as it is", whole, unknown, 100},
		{"well known, by our rule", &j.meant, famous.Entries, 2},
		{"others, by our rule", &j.meant, unknown, 1.5},
	} {
		got := held(j, c.among, c.hosts)
		share := 100 * float64(len(got)) / float64(len(c.hosts))
		t.Logf("%s: %d of %d held, %.1f %% %v", c.name, len(got), len(c.hosts), share, got)
		if share > c.atMost {
			t.Errorf("%s: more than %.1f %%", c.name, c.atMost)
		}
	}
	for _, host := range famous.Entries {
		if v := j.Judge(galena.Submission{Email: "ana@" + host}, Known{}); v.Verdict != galena.Accept {
			t.Errorf("%s: %s %v", host, v.Verdict, v.Codes)
		}
	}
}

// What is on a list is never a slip, and neither is any of the companies that
// somebody named without looking at a list.
func TestNoListedHostAndNoCompanyThatPeopleKnowIsTakenForASlip(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	named, err := os.ReadFile("testdata/companies.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(named), "\n")
	hosts := map[string][]string{"named": strings.Fields(body)}
	for _, name := range []string{"freemail", "disposable", "companies"} {
		l, err := baseList(lists, name)
		if err != nil {
			t.Fatal(err)
		}
		hosts[name] = l.Entries
	}
	for name, least := range map[string]int{"named": 300, "freemail": 13000, "disposable": 8000, "companies": 700} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if len(hosts[name]) < least {
				t.Fatalf("%d hosts, want %d at least", len(hosts[name]), least)
			}
			for _, h := range hosts[name] {
				v := j.Judge(galena.Submission{Email: "ana@" + h}, Known{})
				if slices.ContainsFunc(v.Codes, func(c string) bool { return strings.HasPrefix(c, "did_you_mean:") }) {
					t.Errorf("%s: %s %v", h, v.Verdict, v.Codes)
				}
			}
		})
	}
}

func TestAMisspeltMailboxHostIsAskedBack(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	for typed, meant := range map[string]string{"gmai.com": "gmail.com", "gnail.com": "gmail.com", "hotmial.com": "hotmail.com",
		"outlok.com": "outlook.com", "yahooo.com": "yahoo.com", "iclod.com": "icloud.com", "protonmial.com": "protonmail.com",
		"aol.con": "aol.com", "gmail.co": "gmail.com", "web.ed": "web.de", "gmx.ed": "gmx.de", "live.cmo": "live.com",
		"bluewinn.ch": "bluewin.ch", "libreo.it": "libero.it", "tutanoat.com": "tutanota.com", "btinternt.com": "btinternet.com"} {
		if v := j.Judge(galena.Submission{Email: "ana@" + typed}, Known{}); !slices.Contains(v.Codes, "did_you_mean:"+meant) {
			t.Errorf("%s: %s %v", typed, v.Verdict, v.Codes)
		}
	}
}

func TestWhatTheOperatorNamedIsACandidateInFull(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{Freemail: []string{"uol.io"}, KnownDomains: []string{"ibx.com"}})
	for typed, meant := range map[string]string{"uoll.io": "uol.io", "ibxx.com": "ibx.com"} {
		v := j.Judge(galena.Submission{Email: "ana@" + typed}, Known{})
		if v.Verdict != galena.Confirm || !slices.Contains(v.Codes, "did_you_mean:"+meant) {
			t.Errorf("%s: %s %v", typed, v.Verdict, v.Codes)
		}
	}
	v := j.Judge(galena.Submission{Email: "ana@kx.com"}, Known{KnownDomains: []string{"ky.com"}})
	if !slices.Contains(v.Codes, "did_you_mean:ky.com") {
		t.Errorf("an account of the store: %v", v.Codes)
	}
}

func TestLongNamesMayHaveTwoSlips(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{KnownDomains: []string{"abcdefgh.com", "abcdefghi.com"}})
	for typed, want := range map[string]string{
		"abcdefgx.com":  "abcdefgh.com",  // 8 characters, one slip
		"xbcdefgx.com":  "",              // 8, two
		"xbcdexghi.com": "abcdefghi.com", // 9, two
		"xbcxexghi.com": "",              // 9, three
	} {
		if got := didYouMean(typed, &j.meant); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

func TestTheQuickAnswerIsTheExactOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringMatching(`[abc]{0,6}`).Draw(t, "a"), rapid.StringMatching(`[abc]{0,6}`).Draw(t, "b")
		for reach := range 3 {
			if got, want := within(a, b, reach), distance(a, b) <= reach; got != want {
				t.Errorf("%q %q within %d: %t, distance %d", a, b, reach, got, distance(a, b))
			}
		}
	})
}
