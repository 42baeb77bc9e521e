/* Workflows for CI: what mlbuild-ci(7) tells as a story. Theirs from then on: nothing that exists is overwritten. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/project.h"
#include "os/fs.h"

/*
 * Steps are plain shell that reads the environment, so that each can be run by hand, and no
 * text of a pull request is ever part of a command.
 */
#define INSTALL                                                                                    \
	"apt-get update -q\n"                                                                      \
	"apt-get install -y --no-install-recommends build-essential cmake ninja-build pkg-config " \
	"git ca-certificates libgit2-dev libsqlite3-dev libinih-dev libssl-dev libjansson-dev "    \
	"libyaml-dev libzstd-dev libcurl4-openssl-dev\n"                                           \
	"git clone --depth 1 \"$MLBUILD_SOURCE\" /tmp/mlbuild\n"                                   \
	"cmake -S /tmp/mlbuild -B /tmp/mlbuild/build -G Ninja -DMLB_TESTS=OFF\n"                   \
	"cmake --build /tmp/mlbuild/build\n"                                                       \
	"cmake --install /tmp/mlbuild/build\n"

static const char github[] =
	"# Written by 'mlbuild init --ci github', and yours from now on: man mlbuild-ci\n"
	"name: mlbuild\n"
	"on:\n"
	"  push:\n"
	"    branches: [main]\n"
	"  pull_request:\n"
	"permissions:\n"
	"  contents: read\n"
	"  pull-requests: write # for the comment that says what changes\n"
	"jobs:\n"
	"  build:\n"
	"    runs-on: ubuntu-24.04\n"
	"    env:\n"
	"      # Where mlbuild's sources are: a variable of the repository.\n"
	"      MLBUILD_SOURCE: ${{ vars.MLBUILD_SOURCE }}\n"
	"      # What the remote needs ('mlbuild remote check' says what is missing):\n"
	"      AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}\n"
	"      AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n"
	"      # Results are signed with this where [trust] keys lists its public half.\n"
	"      MLBUILD_SIGNING_KEY: ${{ secrets.MLBUILD_SIGNING_KEY }}\n"
	"      BASE: ${{ github.base_ref }}\n"
	"      PULL_REQUEST: ${{ github.event.pull_request.number }}\n"
	"      GH_TOKEN: ${{ github.token }}\n"
	"    steps:\n"
	"      - uses: actions/checkout@v4\n"
	"        with:\n"
	"          fetch-depth: 0 # history: pins, and what to compare with\n"
	"      - name: Install\n"
	"        run: |\n"
	"          sudo -E sh -e <<'EOF'\n"
	"@INSTALL@"
	"          EOF\n"
	"          # and what the stages need:\n"
	"          if [ -f requirements.txt ]; then pip install -r requirements.txt; fi\n"
	"      - name: Build\n"
	"        run: |\n"
	"@BUILD@"
	"      - name: Push\n"
	"        run: |\n"
	"@PUSH@"
	"      - name: Report\n"
	"        if: ${{ always() && github.event_name == 'pull_request' }}\n"
	"        run: |\n"
	"@REPORT@"
	"          cat report.md >> \"$GITHUB_STEP_SUMMARY\"\n"
	"          gh pr comment \"$PULL_REQUEST\" --edit-last --body-file report.md ||\n"
	"            gh pr comment \"$PULL_REQUEST\" --body-file report.md\n";

static const char gitlab[] =
	"# Written by 'mlbuild init --ci gitlab', and yours from now on: man mlbuild-ci\n"
	"# Variables of the project: MLBUILD_SOURCE (where mlbuild's sources are), the remote's\n"
	"# credentials, MLBUILD_SIGNING_KEY, and MLBUILD_GITLAB_TOKEN (scope api, for comments).\n"
	"mlbuild:\n"
	"  image: debian:12\n"
	"  rules:\n"
	"    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n"
	"    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n"
	"  variables:\n"
	"    GIT_DEPTH: 0 # history: pins, and what to compare with\n"
	"    BASE: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME\n"
	"  before_script:\n"
	"    - |\n"
	"@INSTALL@"
	"      apt-get install -y --no-install-recommends curl\n"
	"      # and what the stages need:\n"
	"      if [ -f requirements.txt ]; then apt-get install -y python3-pip && pip install "
	"--break-system-packages -r requirements.txt; fi\n"
	"  script:\n"
	"    - |\n"
	"@BUILD@"
	"    - |\n"
	"@PUSH@"
	"  after_script:\n"
	"    - |\n"
	"      if [ -n \"$BASE\" ]; then\n"
	"@REPORT@"
	"      curl --fail --silent --show-error --header \"PRIVATE-TOKEN: $MLBUILD_GITLAB_TOKEN\" "
	"--data-urlencode body@report.md "
	"\"$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes\"\n"
	"      fi\n"
	"  artifacts:\n"
	"    when: always\n"
	"    paths: [report.md]\n";

/* A change may make the lock anew; what is merged must have it as it is. */
static const char build[] = "if [ -n \"$BASE\" ]; then mlbuild; else mlbuild --locked; fi\n";
static const char push[] = "mlbuild push\n";
static const char report[] = "git fetch -q origin \"$BASE\"\n"
			     "mlbuild diff --md FETCH_HEAD > report.md\n";

static void
add_indented(struct mlb_buf *out, const char *text, const char *indent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		mlb_buf_adds(out, indent);
		mlb_buf_add(out, text, len + (text[len] == '\n'));
		text += len + (text[len] == '\n');
	}
}

static const char *
part_of(const char *name, size_t len)
{
	static const struct {
		const char *name, *text;
	} parts[] = {
		{ "INSTALL", INSTALL }, { "BUILD", build }, { "PUSH", push }, { "REPORT", report }
	};

	for (size_t i = 0; i < MLB_ARRAY_LEN(parts); i++)
		if (strlen(parts[i].name) == len && memcmp(parts[i].name, name, len) == 0)
			return parts[i].text;
	return NULL;
}

/* @NAME@ is that part, as far to the right as a step's text stands there. */
static void
fill(struct mlb_buf *out, const char *text, const char *indent)
{
	while (*text) {
		const char *at = strchr(text, '@'), *end = at ? strchr(at + 1, '@') : NULL;
		const char *part = end ? part_of(at + 1, (size_t)(end - at - 1)) : NULL;
		size_t len = at ? (size_t)(at - text) : strlen(text);

		mlb_buf_add(out, text, len + (at && !part));
		if (part)
			add_indented(out, part, indent);
		text += part ? len + (size_t)(end - at) + 1 : len + (at != NULL);
	}
}

int
mlb_init_ci(const char *dir, const char *service, char **note, struct mlb_err *err)
{
	bool is_github = strcmp(service, "github") == 0;
	const char *file = is_github ? ".github/workflows/mlbuild.yml" : ".gitlab-ci.yml";
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	char *path = mlb_asprintf("%s/%s", dir, file);
	int rc = 0;

	if (!is_github && strcmp(service, "gitlab") != 0)
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is no CI that is known: github or gitlab",
				 service);
	else if (mlb_fs_exists(path))
		rc = mlb_err_set(err, MLB_EEXISTS,
				 "'%s' exists already: nothing was changed; 'man mlbuild-ci' shows "
				 "the steps",
				 path);
	if (rc == 0) {
		fill(&text, is_github ? github : gitlab, is_github ? "          " : "      ");
		rc = mlb_fs_mkparents(path, err);
	}
	if (rc == 0)
		rc = mlb_fs_write(path, mlb_buf_str(&text), text.len, true, err);
	if (rc == 0)
		*note = mlb_asprintf("wrote %s: 'man mlbuild-ci' tells what to set up once", file);
	free(path);
	mlb_buf_release(&text);
	return rc;
}
