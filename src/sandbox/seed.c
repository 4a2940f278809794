#include "sandbox/seed.h"

#define COUNT(array) (int64_t)(sizeof(array) / sizeof((array)[0]))

#define PARTS 4

/* Given and family names of one script; `family_first` joins them without a space. */
static const struct script {
	const char *given[PARTS];
	const char *family[PARTS];
	int family_first;
} scripts[] = {
	{{"Asha", "Daniel", "Maria", "Tom"}, {"Okafor", "Smith", "de la Cruz", "O'Brien"}, 0},
	{{"आशा", "राहुल", "प्रिया", "विजय"}, {"शर्मा", "वर्मा", "सिंह", "गुप्ता"}, 0},
	{{"Søren", "Zoë", "José", "Jürgen"}, {"Ångström", "Núñez", "Łuczak", "Müller"}, 0},
	{{"Анна", "Иван", "Ольга", "Юрий"}, {"Петрова", "Соколов", "Іваненко", "Жуков"}, 0},
	{{"أحمد", "فاطمة", "يوسف", "مريم"}, {"الهاشمي", "حداد", "منصور", "خليل"}, 0},
	{{"伟", "芳", "小明", "静怡"}, {"王", "李", "张", "欧阳"}, 1},
	{{"கவிதா", "முருகன்", "லட்சுமி", "செல்வம்"}, {"ராஜன்", "குமார்", "பிள்ளை", "நாதன்"}, 0},
	{{"Ελένη", "Γιώργος", "Μαρία", "Νίκος"}, {"Παπαδοπούλου", "Νικολάου", "Κώστα", "Δήμου"}, 0},
};

static const char *const departments[] = {
	"Engineering", "Sales", "Production", "Logistics", "Human Resources"};

void seed_user(int64_t n, struct seed_user *ret)
{
	const struct script *script = &scripts[(n - 1) % COUNT(scripts)];
	int64_t round = (n - 1) / COUNT(scripts);
	const char *given = script->given[round % PARTS];
	const char *family = script->family[round / PARTS % PARTS];

	snprintf(ret->id, sizeof ret->id, "usr_%06lld", (long long)n);
	snprintf(ret->name, sizeof ret->name, "%s%s%s", script->family_first ? family : given,
		script->family_first ? "" : " ", script->family_first ? given : family);
	snprintf(ret->email, sizeof ret->email, "user%06lld@example.com", (long long)n);
	snprintf(ret->phone, sizeof ret->phone, "+91%010lld", 9000000000LL + (long long)n);
	snprintf(ret->department, sizeof ret->department, "%s",
		departments[(n - 1) % COUNT(departments)]);
}
