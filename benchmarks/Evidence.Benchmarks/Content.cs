using System.Text;

namespace Evidence.Benchmarks;

/// <summary>Content to measure on: the same bytes in every run.</summary>
internal static class Content
{
    /// <summary>Bytes that nothing can shrink.</summary>
    internal static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Log lines.</summary>
    internal static byte[] Text(int length)
    {
        var random = new Random(7);
        var text = new StringBuilder(length + 100);
        while (text.Length < length)
            text.Append(null, $"2012-01-19T{random.Next(24):00}:{random.Next(60):00}Z storage-7 httpd: GET /d/{random.Next():x8} 200 {random.Next(10_000_000)}\n");
        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }
}
