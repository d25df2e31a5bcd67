package ical

import (
	"strings"
	"sync"
)

// windowsNames says which zone of tzdata is meant by a name that Windows, Outlook
// and Exchange use: Unicode CLDR, windowsZones, territory 001. Where a name ends in
// "Standard Time", that is left out here; the others begin with "=".
const windowsNames = `
Australia/Darwin AUS Central
Australia/Sydney AUS Eastern
Asia/Kabul Afghanistan
America/Anchorage Alaskan
America/Adak Aleutian
Asia/Barnaul Altai
Asia/Riyadh Arab
Asia/Dubai Arabian
Asia/Baghdad Arabic
America/Buenos_Aires Argentina
Europe/Astrakhan Astrakhan
America/Halifax Atlantic
Australia/Eucla Aus Central W.
Asia/Baku Azerbaijan
Atlantic/Azores Azores
America/Bahia Bahia
Asia/Dhaka Bangladesh
Europe/Minsk Belarus
Pacific/Bougainville Bougainville
America/Regina Canada Central
Atlantic/Cape_Verde Cape Verde
Asia/Yerevan Caucasus
Australia/Adelaide Cen. Australia
America/Guatemala Central America
Asia/Bishkek Central Asia
America/Cuiaba Central Brazilian
Europe/Budapest Central Europe
Europe/Warsaw Central European
Pacific/Guadalcanal Central Pacific
America/Chicago Central
America/Mexico_City =Central Standard Time (Mexico)
Pacific/Chatham Chatham Islands
Asia/Shanghai China
America/Havana Cuba
Etc/GMT+12 Dateline
Africa/Nairobi E. Africa
Australia/Brisbane E. Australia
Europe/Chisinau E. Europe
America/Sao_Paulo E. South America
Pacific/Easter Easter Island
America/New_York Eastern
America/Cancun =Eastern Standard Time (Mexico)
Africa/Cairo Egypt
Asia/Yekaterinburg Ekaterinburg
Europe/Kiev FLE
Pacific/Fiji Fiji
Europe/London GMT
Europe/Bucharest GTB
Asia/Tbilisi Georgian
America/Godthab Greenland
Atlantic/Reykjavik Greenwich
America/Port-au-Prince Haiti
Pacific/Honolulu Hawaiian
Asia/Calcutta India
Asia/Tehran Iran
Asia/Jerusalem Israel
Asia/Amman Jordan
Europe/Kaliningrad Kaliningrad
Asia/Seoul Korea
Africa/Tripoli Libya
Pacific/Kiritimati Line Islands
Australia/Lord_Howe Lord Howe
Asia/Magadan Magadan
America/Punta_Arenas Magallanes
Pacific/Marquesas Marquesas
Indian/Mauritius Mauritius
Asia/Beirut Middle East
America/Montevideo Montevideo
Africa/Casablanca Morocco
America/Denver Mountain
America/Mazatlan =Mountain Standard Time (Mexico)
Asia/Rangoon Myanmar
Asia/Novosibirsk N. Central Asia
Africa/Windhoek Namibia
Asia/Katmandu Nepal
Pacific/Auckland New Zealand
America/St_Johns Newfoundland
Pacific/Norfolk Norfolk
Asia/Irkutsk North Asia East
Asia/Krasnoyarsk North Asia
Asia/Pyongyang North Korea
Asia/Omsk Omsk
America/Santiago Pacific SA
America/Los_Angeles Pacific
America/Tijuana =Pacific Standard Time (Mexico)
Asia/Karachi Pakistan
America/Asuncion Paraguay
Asia/Qyzylorda Qyzylorda
Europe/Paris Romance
Asia/Srednekolymsk =Russia Time Zone 10
Asia/Kamchatka =Russia Time Zone 11
Europe/Samara =Russia Time Zone 3
Europe/Moscow Russian
America/Cayenne SA Eastern
America/Bogota SA Pacific
America/La_Paz SA Western
Asia/Bangkok SE Asia
America/Miquelon Saint Pierre
Asia/Sakhalin Sakhalin
Pacific/Apia Samoa
Africa/Sao_Tome Sao Tome
Europe/Saratov Saratov
Asia/Singapore Singapore
Africa/Johannesburg South Africa
Africa/Juba South Sudan
Asia/Colombo Sri Lanka
Africa/Khartoum Sudan
Asia/Damascus Syria
Asia/Taipei Taipei
Australia/Hobart Tasmania
America/Araguaina Tocantins
Asia/Tokyo Tokyo
Asia/Tomsk Tomsk
Pacific/Tongatapu Tonga
Asia/Chita Transbaikal
Europe/Istanbul Turkey
America/Grand_Turk Turks And Caicos
America/Indianapolis US Eastern
America/Phoenix US Mountain
Etc/UTC =UTC
Etc/GMT-12 =UTC+12
Etc/GMT-13 =UTC+13
Etc/GMT+2 =UTC-02
Etc/GMT+8 =UTC-08
Etc/GMT+9 =UTC-09
Etc/GMT+11 =UTC-11
Asia/Ulaanbaatar Ulaanbaatar
America/Caracas Venezuela
Asia/Vladivostok Vladivostok
Europe/Volgograd Volgograd
Australia/Perth W. Australia
Africa/Lagos W. Central Africa
Europe/Berlin W. Europe
Asia/Hovd W. Mongolia
Asia/Tashkent West Asia
Asia/Hebron West Bank
Pacific/Port_Moresby West Pacific
Asia/Yakutsk Yakutsk
America/Whitehorse Yukon
`

// windows maps the names above, whole, to those of tzdata.
var windows = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for l := range strings.Lines(windowsNames[1:]) {
		olson, name, _ := strings.Cut(strings.TrimSpace(l), " ")
		if whole, ok := strings.CutPrefix(name, "="); ok {
			m[whole] = olson
		} else {
			m[name+" Standard Time"] = olson
		}
	}
	return m
})
