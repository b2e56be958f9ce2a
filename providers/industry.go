package providers

import (
	"sync"

	"github.com/galenahq/galena"
)

// industries is the closed vocabulary of company.industry with the labels of
// LinkedIn (both editions), GICS and its relatives, and the slugs of the
// smaller catalogues. A label stands under one meaning only; what is not
// listed stays unknown instead of becoming a wrong vertical.
var industries = map[string]string{
	"software": "computer software;software development;internet software and services;application software;systems software;" +
		"software and services;saas;b2b software;enterprise software;desktop computing software products;mobile computing software products;" +
		"embedded software products;business intelligence platforms;data infrastructure and analytics;software as a service;cloud software;" +
		"cloud computing;data analytics;artificial intelligence",
	"fintech": "financial technology;fin tech;payments;payment processing;transaction and payment processing services;" +
		"digital banking;blockchain services;cryptocurrency",
	"martech": "marketing technology;adtech;advertising technology;marketing automation;marketing software;mar tech;ad tech",
	"cybersecurity": "computer and network security;cyber security;computer networking security;network security;information security;" +
		"it security;security software",
	"developer-tools": "dev tools;devtools;developer platform;software development tools;developer tools and infrastructure",
	"it-services": "information technology and services;it services and it consulting;information technology services;it consulting and other services;" +
		"it consulting;it system custom software development;it system design services;it services;internet services and infrastructure;" +
		"it system data services;it system operations and maintenance;it system installation and disposal;it system training and support;" +
		"it system testing and evaluation;data processing and outsourced services;information services;managed services;hosting;web development",
	"internet": "technology information and internet;internet;internet publishing;internet marketplace platforms;" +
		"social networking platforms;technology information and media;interactive media and services;online media",
	"e-commerce": "ecommerce;e commerce;online retail;internet retail;internet and direct marketing retail;online and mail order retail;" +
		"broadline e commerce",
	"telecom": "telecommunications;telecommunication services;diversified telecommunication services;wireless telecommunication services;" +
		"wireless;wireless services;integrated telecommunication services;alternative carriers;satellite telecommunications;" +
		"telecommunications carriers",
	"logistics-tech": "logistics technology;supply chain software;supply chain technology;freight technology",
	"logistics": "logistics and supply chain;transportation logistics supply chain and storage;air freight and logistics;freight and package transportation;" +
		"package freight delivery;warehousing;warehousing and storage;trucking;truck transportation;transportation trucking railroad;maritime;" +
		"maritime transportation;marine;marine transportation;road and rail;railroads;transportation;transportation infrastructure;import and export;" +
		"import export;ground transportation",
	"healthtech": "health tech;health technology;health care technology;healthcare technology;digital health;health information technology;" +
		"medical software;health it",
	"healthcare": "health care;hospital and health care;hospitals and health care;hospitals;health care providers and services;health care services;" +
		"health care facilities;managed health care;medical practice;medical practices;mental health care;health wellness and fitness;" +
		"wellness and fitness services;alternative medicine;health care equipment and services;health and human services;physicians;dentists;" +
		"nursing homes and residential care facilities;home health care services;veterinary;veterinary services",
	"medical-devices": "medical device;medical equipment manufacturing;health care equipment;health care equipment and supplies;health care supplies;" +
		"medical devices manufacturing",
	"pharma": "pharmaceuticals;pharmaceutical manufacturing;biotechnology;biotechnology research;biotech;pharmaceuticals biotechnology and life sciences;" +
		"life sciences tools and services;pharmaceuticals biotechnology and life sciences tools;life sciences",
	"financial-services": "financial services;banking;banks;investment banking;investment management;capital markets;diversified financial services;" +
		"diversified financials;consumer finance;asset management and custody banks;diversified banks;regional banks;financials;venture capital and private equity;" +
		"venture capital and private equity principals;financial exchanges and data;credit intermediation;mortgage finance;thrifts and mortgage finance;" +
		"investment banking and brokerage;investment advice;savings institutions;loan brokers;finance",
	"insurance": "insurance carriers;insurance brokers;insurance agencies and brokerages;life and health insurance;property and casualty insurance;" +
		"multi line insurance;reinsurance;insurtech;insurance and employee benefit funds",
	"real-estate": "commercial real estate;real estate management and development;real estate services;equity real estate investment trusts reits;" +
		"real estate development;real estate operating companies;leasing residential real estate;leasing non residential real estate;" +
		"real estate agents and brokers;real estate and equipment rental services;proptech;real estate investment trusts",
	"construction": "construction and engineering;building construction;residential building construction;nonresidential building construction;" +
		"civil engineering;building materials;building products;construction materials;homebuilding;specialty trade contractors;wholesale building materials;" +
		"architecture and planning;utility system construction;subdivision of land;construction engineering",
	"manufacturing": "industrial machinery manufacturing;machinery;machinery manufacturing;industrial machinery;industrial manufacturing;industrials;" +
		"electrical and electronic manufacturing;appliances electrical and electronics manufacturing;electrical equipment manufacturing;" +
		"electrical equipment;electrical components and equipment;capital goods;plastics;plastics manufacturing;packaging and containers;" +
		"packaging and containers manufacturing;glass ceramics and concrete;glass ceramics and concrete manufacturing;paper and forest products;" +
		"paper and forest product manufacturing;industrial conglomerates;metal and glass containers;fabricated metal products;furniture;" +
		"furniture and home furnishings manufacturing;textiles;textile manufacturing;metal treatments;trading companies and distributors;" +
		"machinery and equipment manufacturing",
	"industrial-automation": "automation machinery manufacturing;robotics;robotics engineering;robot manufacturing;factory automation;" +
		"measuring and control instrument manufacturing",
	"automotive": "automobiles;auto manufacturers;motor vehicle manufacturing;automobile manufacturers;automobiles and components;auto components;" +
		"auto parts and equipment;motor vehicle parts manufacturing;automotive retail;vehicle repair and maintenance;" +
		"retail motor vehicles;wholesale motor vehicles and parts",
	"aerospace-defense": "aerospace and defense;aviation and aerospace;aviation and aerospace component manufacturing;defense and space;" +
		"defense and space manufacturing;aviation;airlines;airlines and aviation;airlines airports and air services;military",
	"electronics": "consumer electronics;computer hardware;computer hardware manufacturing;semiconductors;semiconductor manufacturing;" +
		"semiconductors and semiconductor equipment;technology hardware storage and peripherals;electronic equipment instruments and components;" +
		"communications equipment;computer networking;computer networking products;electronic components;computers and electronics manufacturing;" +
		"renewable energy semiconductor manufacturing;nanotechnology;nanotechnology research;household appliances;" +
		"technology hardware and equipment;computer and electronic product manufacturing",
	"chemicals": "chemical manufacturing;commodity chemicals;specialty chemicals;diversified chemicals;chemical raw materials manufacturing;materials",
	"energy": "oil and gas;oil gas and consumable fuels;renewable energy;renewables and environment;renewable electricity;oil and energy;" +
		"integrated oil and gas;solar;solar electric power generation;wind electric power generation;energy equipment and services;services for renewable energy;" +
		"renewable energy power generation;climate tech;cleantech;energy technology;oil extraction;fossil fuel electric power generation",
	"utilities": "electric utilities;gas utilities;water utilities;multi utilities;electric power generation;electric power transmission control and distribution;" +
		"independent power and renewable electricity producers;water supply and irrigation systems;water waste steam and air conditioning services;" +
		"natural gas distribution",
	"mining": "mining and metals;metals and mining;coal mining;metal ore mining;steel;gold;copper;primary metal manufacturing;oil gas and mining",
	"agriculture": "farming;ranching;farming ranching forestry;agricultural products;agribusiness;agtech;agriculture and farming;dairy;fishery;fisheries;" +
		"horticulture;forestry and logging;agricultural chemicals;agricultural machinery;ranching and fisheries;agricultural chemical manufacturing;" +
		"agriculture construction mining machinery manufacturing",
	"food-beverage": "food and beverages;food and beverage services;food and beverage manufacturing;food production;food products;beverages;" +
		"beverage manufacturing;wine and spirits;brewers;distillers and vintners;packaged foods and meats;food;food beverage and tobacco;dairy product manufacturing;" +
		"tobacco;tobacco manufacturing;soft drinks;wineries;breweries;distilleries",
	"consumer-goods": "consumer goods;cosmetics;personal care products;personal care product manufacturing;household products;household durables;" +
		"sporting goods;sporting goods manufacturing;apparel and fashion;retail apparel and fashion;textiles apparel and luxury goods;luxury goods and jewelry;" +
		"consumer staples;consumer discretionary;leisure products;apparel manufacturing;retail luxury goods and jewelry;fashion;toys;" +
		"apparel accessories and luxury goods;footwear;personal products;consumer durables and apparel;manufacturing consumer goods",
	"retail": "retailing;specialty retail;multiline retail;supermarkets;food and staples retailing;department stores;retail groceries;" +
		"retail office equipment;apparel retail;general merchandise stores;consumer staples merchandise retail;retail art supplies;food retail;" +
		"home improvement retail;distributors;food and drug retailing;broadline retail",
	"wholesale": "wholesale distribution;wholesale import and export;wholesale food and beverage;wholesale machinery",
	"hospitality": "hotels restaurants and leisure;hotels and motels;hotels resorts and cruise lines;restaurants;leisure travel and tourism;travel arrangements;" +
		"hospitality and tourism;travel;tourism;travel and tourism;gambling facilities and casinos;gambling and casinos;leisure facilities;events services;" +
		"consumer services;bars taverns and nightclubs;accommodation and food services;bed and breakfasts hostels homestays;travel and leisure",
	"media": "media production;broadcasting;broadcast media;broadcast media production and distribution;publishing;book and periodical publishing;newspapers;" +
		"newspaper publishing;online audio and video media;movies and entertainment;motion pictures and film;entertainment;entertainment providers;music;musicians;" +
		"film and television;media and telecommunications;movies videos and sound;printing;printing services;animation;animation and post production;" +
		"performing arts;writing and editing;photography;graphic design;design;design services;book publishing;cable and satellite;arts and crafts;" +
		"radio and television broadcasting;media and entertainment;fine art;communication services",
	"gaming":        "computer games;mobile games;video games;mobile gaming apps;interactive home entertainment;esports;games",
	"sports":        "spectator sports;sports teams and clubs;recreational facilities;sports and recreation instruction;recreational facilities and services",
	"advertising":   "advertising services;marketing and advertising;marketing services;public relations and communications;public relations and communications services;market research;online advertising;advertising agencies;marketing",
	"consulting":    "management consulting;business consulting and services;business consulting;strategic management services;operations consulting;professional services;research and consulting services;commercial and professional services;think tanks;environmental services;engineering services;outsourcing and offshoring consulting;outsourcing offshoring;program development;services",
	"legal":         "law practice;legal services;law firms;alternative dispute resolution;legal tech;legaltech;judiciary;administration of justice",
	"accounting":    "accounting services;bookkeeping;tax services",
	"staffing":      "staffing and recruiting;human resources;human resources services;human resource and employment services;executive search services;temporary help services;hr tech;recruiting",
	"facilities":    "facilities services;facilities support services;security and investigations;security services;environmental and facilities services;commercial services and supplies;janitorial services;landscaping services;security and alarm services;security systems services;diversified support services;office services and supplies",
	"education":     "education management;education administration programs;higher education;primary secondary education;primary and secondary education;e learning;e learning providers;education services;professional training and coaching;schools;edtech;education technology;universities;education and training services;diversified consumer services;technical and vocational training;child day care services",
	"government":    "government administration;public policy;public policy offices;public safety;law enforcement;armed forces;international affairs;legislative office;legislative offices;government relations;government relations services;public sector;executive offices;public administration;public services;military and international affairs;political organization;political organizations",
	"non-profit":    "nonprofit;non profit organizations;non profit organization management;nonprofit organization management;nonprofit organizations;civic and social organizations;civic and social organization;individual and family services;philanthropy;philanthropic fundraising services;religious institutions;fundraising;charity;ngo;community services;industry associations;professional organizations;charitable organizations",
	"conglomerates": "holding companies;conglomerate;diversified holdings",
}

// industryNames looks an industry up by any of its labels.
var industryNames = sync.OnceValue(func() map[string]string { return inverted(industries) })

// Industry maps the first of the labels that the table knows, from the most to
// the least telling; the label is kept beside the slug. False when it knows none.
func Industry(labels ...string) (galena.Value, bool) {
	for _, l := range labels {
		if slug, ok := industryNames()[fold(l)]; ok {
			v := galena.EnumValue(slug)
			v.Raw = l
			return v, true
		}
	}
	return galena.Value{}, false
}

// AddIndustry notes the industry, or remembers the label that no table knows.
func (r *Record) AddIndustry(ref string, labels ...string) {
	v, ok := Industry(labels...)
	if ok {
		r.Add("company.industry", v, ref)
		return
	}
	for _, l := range labels {
		if l != "" {
			r.unmapped("company.industry", l)
			return
		}
	}
}
