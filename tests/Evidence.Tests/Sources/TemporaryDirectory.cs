namespace Evidence.Tests.Sources;

/// <summary>A directory of its own for a test, and content that differs at every offset.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("evidence-sources-").FullName;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        File.WriteAllBytes(At(name), content);
        return At(name);
    }

    /// <summary>Bytes whose pattern repeats nowhere within any file that these tests write.</summary>
    public static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
