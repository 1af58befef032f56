#!/usr/bin/env bash
# Packs the library and builds the README's program against the package; publishes the command as one file and runs it without any .NET around.
# Each check prints a line `ok NAME` or `FAILED NAME`; the exit code is the number of failures. About a minute and a half.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export EVIDENCE_HOME="$work/home" XDG_CACHE_HOME="$work/cache"
failures=0

check() { # check NAME COMMAND...
  local name=$1; shift
  if "$@" > "$work/log" 2>&1; then echo "ok $name"; else echo "FAILED $name"; tail -20 "$work/log"; failures=$((failures + 1)); fi
}

# A fresh clone: what is not committed does not count.
git clone -q "$root" "$work/clone"
feed="$work/feed"
mkdir "$feed"

# The package names System.IO.Hashing as its dependency. Where a feed lacks that, this stands in for it: the SDK's own assembly in a package.
stand_in() {
  mkdir -p "$work/stand-in"
  local sdk
  sdk=$(dirname "$(dotnet --list-sdks | tail -1 | sed -E 's/^([^ ]+) \[(.*)\]$/\2\/\1\/x/')")
  cat > "$work/stand-in/System.IO.Hashing.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <PackageId>System.IO.Hashing</PackageId><Version>10.0.12</Version>
    <IncludeBuildOutput>false</IncludeBuildOutput><NoWarn>NU5128</NoWarn>
  </PropertyGroup>
  <ItemGroup><None Include="$sdk/Sdks/Microsoft.NET.Sdk/tools/net10.0/System.IO.Hashing.dll" Pack="true" PackagePath="lib/net10.0" /></ItemGroup>
</Project>
XML
  dotnet pack "$work/stand-in" -c Release -o "$feed"
}

consumer() {
  mkdir -p "$work/consumer"
  cp "$work/clone/tests/Evidence.Sample/Program.cs" "$work/consumer/"
  cat > "$work/consumer/Consumer.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable><TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <RestoreAdditionalProjectSources>$feed</RestoreAdditionalProjectSources>
    <RestorePackagesPath>$work/packages</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup><PackageReference Include="Evidence" Version="*" /></ItemGroup>
</Project>
XML
  dotnet run -c Release --project "$work/consumer" -- "$work/clone/docs/sample/server.img" "$work/consumer.vault" "$work/consumer.img" &&
    cmp "$work/consumer.img" "$work/clone/docs/sample/server.img"
}

appliance() { # with nothing of .NET to be found
  env -i PATH=/usr/bin:/bin HOME="$work" EVIDENCE_HOME="$EVIDENCE_HOME" XDG_CACHE_HOME="$XDG_CACHE_HOME" EVIDENCE_VAULT="$work/appliance.vault" \
    "$work/out/evidence" "$@"
}

check "a stand-in for System.IO.Hashing" stand_in
check "dotnet pack, with System.IO.Hashing as a package" \
  dotnet pack "$work/clone/src/Evidence" -c Release -o "$feed" -p:HashingFromSdk=false "-p:RestoreAdditionalProjectSources=$feed"
check "the package names its dependencies" \
  sh -c "unzip -p '$feed'/Evidence.*.nupkg Evidence.nuspec | grep -q 'id=\"System.IO.Hashing\" version=\"10.0.12\"'"
check "a program that references the package" consumer
check "dotnet publish, one self-contained file" dotnet publish "$work/clone/src/Evidence.Cli" -c Release -r linux-x64 -o "$work/out"
check "the appliance acquires" appliance acquire "$work/clone/docs/sample/server.img" --item sample
check "the appliance verifies" appliance verify --digests
check "the appliance exports" appliance export sample --output "$work/appliance.img"
check "the appliance's export is the disk" cmp "$work/appliance.img" "$work/clone/docs/sample/server.img"
exit "$failures"
