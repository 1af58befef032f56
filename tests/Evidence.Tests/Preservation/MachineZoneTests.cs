using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Evidence.Tests.Vaults;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>What is counted in days is the same on a machine in any zone, of any locale: the tests of it pass there as here.</summary>
public sealed partial class MachineZoneTests
{
    internal const string Variable = "EVIDENCE_TEST_ZONE";

    [Theory]
    [InlineData("Pacific/Kiritimati", "ar_SA.UTF-8")]
    [InlineData("Pacific/Pago_Pago", "th_TH.UTF-8")]
    public async Task The_tests_of_windows_pass_in_another_zone_and_locale(string zone, string locale)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])[typeof(MachineZoneTests).Assembly.Location, "-class", typeof(ResponseWindowTests).FullName!])
            start.ArgumentList.Add(argument);
        start.Environment["TZ"] = zone;
        start.Environment["LANG"] = locale;
        start.Environment["LC_ALL"] = locale;
        start.Environment[Variable] = zone;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestVault.Stop);
        string output = await process.StandardOutput.ReadToEndAsync(TestVault.Stop);
        await process.WaitForExitAsync(TestVault.Stop);
        Assert.True(process.ExitCode == 0, $"{zone}: {process.ExitCode}\n{output}\n{await errors}");
        // Whoever runs none has none that fails.
        Assert.True(int.Parse(Total().Match(output).Groups["n"].Value, CultureInfo.InvariantCulture) > 50, output);
    }

    [GeneratedRegex("Total: (?<n>[0-9]+), Errors: 0, Failed: 0", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Total();
}
