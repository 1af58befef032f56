using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Evidence.Interop.Tests.Harness;

/// <summary>How a process ended, and what it said.</summary>
internal sealed record CommandResult(string What, int ExitCode, byte[] Output, string Errors)
{
    internal string Text => Encoding.UTF8.GetString(Output);

    /// <summary>Standard output as one JSON object, with nothing else there.</summary>
    internal JsonElement Json
    {
        get
        {
            try
            {
                return JsonDocument.Parse(Output).RootElement;
            }
            catch (JsonException e)
            {
                Assert.Fail($"{this}\nis not one JSON object: {e.Message}");
                throw;
            }
        }
    }

    internal CommandResult Ends(int exitCode)
    {
        Assert.True(exitCode == ExitCode, $"{this}\nshould have ended with {exitCode}");
        return this;
    }

    internal CommandResult Succeeds() => Ends(0);

    /// <summary>The command failed as a whole, with one JSON error; returns its message.</summary>
    internal string FailsWith(string code, int exitCode = 1)
    {
        Ends(exitCode);
        JsonElement error = Json.GetProperty("error");
        Assert.True(string.Equals(code, error.GetProperty("code").GetString(), StringComparison.Ordinal), $"{this}\nshould have the code {code}");
        return error.GetProperty("message").GetString()!;
    }

    /// <summary>The only image of an <c>acquire --json</c> failed; returns the message.</summary>
    internal string ImageFailsWith(string code, int exitCode = 1)
    {
        Ends(exitCode);
        // A single source that cannot even be opened is an error of the command; one that fails on the way is an error of that image.
        if (Json.TryGetProperty("error", out _))
            return FailsWith(code, exitCode);
        JsonElement error = Assert.Single(Json.GetProperty("images").EnumerateArray()).GetProperty("error");
        Assert.True(string.Equals(code, error.GetProperty("code").GetString(), StringComparison.Ordinal), $"{this}\nshould have the code {code}");
        return error.GetProperty("message").GetString()!;
    }

    /// <summary>The only image of an <c>acquire --json</c>.</summary>
    internal JsonElement Image()
    {
        JsonElement image = Assert.Single(Json.GetProperty("images").EnumerateArray());
        Assert.False(image.TryGetProperty("error", out _), ToString());
        return image;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{What}\nended with {ExitCode}\n{(Output.Length < 10_000 ? Text : $"{Output.Length} bytes")}\n{Errors}");
}
