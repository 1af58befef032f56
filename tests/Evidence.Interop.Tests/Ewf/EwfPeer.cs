using System.Text.RegularExpressions;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Ewf;

/// <summary>The tools of libewf.</summary>
internal static partial class EwfPeer
{
    internal static void Require() => Peer.Require("ewfacquire", "ewfverify", "ewfinfo", "ewfexport");

    /// <summary>What ewfverify stores and computes, by name; it must have found a digest to compare with, for it calls a file without any a success.</summary>
    internal static void Verify(string first, string md5, string sha1)
    {
        string said = Peer.Run("ewfverify", "-q", "-d", "sha1", first);
        Assert.Contains("ewfverify: SUCCESS", said, StringComparison.Ordinal);
        Assert.Equal([md5, md5, sha1, sha1], Digests().Matches(said).Select(m => m.Groups["value"].Value), StringComparer.Ordinal);
    }

    /// <summary>The raw bytes, by ewfexport.</summary>
    internal static string Export(string first, string folder)
    {
        string target = Path.Combine(folder, "ewfexported");
        Peer.Run("ewfexport", "-q", "-u", "-f", "raw", "-t", target, first);
        return target + ".raw";
    }

    internal static string Info(string first) => Peer.Run("ewfinfo", first);

    /// <summary>Has ewfacquire make an image of a file; returns the first segment's path.</summary>
    internal static string Acquire(string source, string folder, string name, params string[] options)
    {
        string target = Path.Combine(folder, name);
        Peer.Run("ewfacquire", ["-q", "-u", "-C", "2026-117", "-E", "server-7", "-e", "A. Turing", "-D", "a server", "-N", "none", "-t", target, .. options, source]);
        return Directory.EnumerateFiles(folder, name + ".?01").Single();
    }

    [GeneratedRegex("hash (stored in file|calculated over data):\\s+(?<value>[0-9a-f]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Digests();
}
